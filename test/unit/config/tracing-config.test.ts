import { tmpdir } from 'node:os';
import type { TracingConfig } from '../../../src/config/tracing-config';
import { MODULES } from '../../../src/modules';

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };

function tracingOf(env: Readonly<Record<string, string>>): TracingConfig | undefined {
  return MODULES.loadConfig(tmpdir(), { ...env }).config.tracing;
}

describe('traces', () => {
  test.each([
    ['nobody asked for them', {}],
    ['the SDK is switched off', { ...COLLECTOR, OTEL_SDK_DISABLED: 'true' }],
  ])('are not made where %s', (_why, env) => {
    expect(tracingOf(env)).toBeUndefined();
  });

  test('go to /v1/traces of the collector, or to an address of their own as it is', () => {
    expect(tracingOf(COLLECTOR)?.url).toBe('http://collector:4318/v1/traces');
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318/otlp' };
    expect(tracingOf({ ...COLLECTOR, ...own })?.url).toBe('http://traces:4318/otlp');
  });

  test('carry headers, whose values are decoded', () => {
    const env = { ...COLLECTOR, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20eA%3D%3D, x-team = a' };
    expect(tracingOf(env)?.headers).toEqual({ authorization: 'Basic eA==', 'x-team': 'a' });
  });

  test.each(['novalue', 'a b=c', 'a=%zz', '=x'])('headers %p are refused', (headers) => {
    expect(() => tracingOf({ ...COLLECTOR, OTEL_EXPORTER_OTLP_HEADERS: headers })).toThrow(
      'OTEL_EXPORTER_OTLP_HEADERS',
    );
  });

  test.each([
    ['parentbased_always_on', '0.5', 1],
    ['always_off', '0.5', 0],
    ['parentbased_always_off', '0.5', 0],
    ['traceidratio', '0.5', 0.5],
    ['parentbased_traceidratio', '0.25', 0.25],
  ])('%s with %s traces this share of events: %d', (sampler, arg, ratio) => {
    const env = { ...COLLECTOR, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg };
    expect(tracingOf(env)?.ratio).toBe(ratio);
  });
});
