import { flag, httpUrl, number, oneOf, optional, text } from './formats';
import type { Reading } from './reading';
import { secret, type ValuesOf, type Variables, variable } from './variable';

/** As OpenTelemetry names them. */
export const TRACING_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    optional(httpUrl),
    undefined,
    'Collector of OpenTelemetry that traces are sent to, over HTTP in JSON, under /v1/traces. Unset: no traces.',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: variable(
    optional(httpUrl),
    undefined,
    'The whole address for traces, instead of OTEL_EXPORTER_OTLP_ENDPOINT.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: secret(
    text,
    '',
    'Headers for the collector: name=value, comma separated, values percent-encoded.',
  ),
  OTEL_SERVICE_NAME: variable(text, 'evolution-relay', 'Name of the service in traces.'),
  OTEL_TRACES_SAMPLER: variable(
    oneOf(
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ),
    'parentbased_always_on',
    'Which events are traced. traceidratio: as many as OTEL_TRACES_SAMPLER_ARG says.',
  ),
  OTEL_TRACES_SAMPLER_ARG: variable(number(0, 1), 1, 'Share of events that traceidratio traces.'),
  OTEL_SDK_DISABLED: variable(flag, false, 'No traces, whatever the other variables say.'),
} as const satisfies Variables;

export interface TracingConfig {
  /** Where traces are sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** Share of events that are traced. */
  readonly ratio: number;
}

/** Undefined where nobody asked for traces. */
export function tracingOf(
  values: ValuesOf<typeof TRACING_VARIABLES>,
  reading: Reading,
): TracingConfig | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = values;
  const url = whole ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`);
  const headers = headersOf(values.OTEL_EXPORTER_OTLP_HEADERS);
  if (headers === undefined)
    reading.problem(
      'OTEL_EXPORTER_OTLP_HEADERS: must be name=value, comma separated, values percent-encoded',
    );
  if (url === undefined || values.OTEL_SDK_DISABLED) return undefined;
  return { url, headers: headers ?? {}, serviceName: values.OTEL_SERVICE_NAME, ratio: ratioOf(values) };
}

/** Events have no parent: what is based on one is decided by the rest of its name. */
function ratioOf(values: ValuesOf<typeof TRACING_VARIABLES>): number {
  const sampler = values.OTEL_TRACES_SAMPLER;
  if (sampler.endsWith('always_on')) return 1;
  return sampler.endsWith('always_off') ? 0 : values.OTEL_TRACES_SAMPLER_ARG;
}

function headersOf(list: string): Record<string, string> | undefined {
  const pairs = list
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => /^([!#$%&'*+.^`|~\w-]+)\s*=\s*([!-~]*)$/.exec(pair));
  const headers: Record<string, string> = {};
  for (const pair of pairs) {
    const [, name, value] = pair ?? [];
    if (name === undefined || value === undefined) return undefined;
    try {
      headers[name] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return headers;
}
