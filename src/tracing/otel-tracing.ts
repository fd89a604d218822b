import {
  type Attributes,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { TracingConfig } from '../config/tracing-config';
import { eventLabel } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import type { Logger } from '../observability/logging';
import { throttled } from '../observability/report';
import type { AttemptRecord, Delivery } from '../pipeline/delivery';
import type { Settlement } from '../pipeline/message';
import type { AttemptTrace, EventTrace, Tracing } from '../pipeline/tracing';
import { VERSION } from '../version';
import { parseTraceparent, traceparentOf } from './traceparent';

/** A collector that does not answer holds up no drain. */
const EXPORT_TIMEOUT_MS = 5000;
/** Spans that wait to be sent; beyond that they are dropped. */
const MAX_QUEUED = 8192;
const SYSTEMS: Readonly<Record<string, string>> = { sqs: 'aws_sqs' };

/** Spans of OpenTelemetry, sent by OTLP over HTTP: one for each event, and one for each of its attempts. */
export class OtelTracing implements Tracing {
  private readonly provider: BasicTracerProvider;
  private readonly tracer: Tracer;

  constructor({ url, headers, serviceName, ratio }: TracingConfig, log: Logger) {
    logFailures(log);
    const exporter = new OTLPTraceExporter({
      url,
      headers: { ...headers },
      timeoutMillis: EXPORT_TIMEOUT_MS,
    });
    this.provider = new BasicTracerProvider({
      // OTEL_RESOURCE_ATTRIBUTES, which only the process's own environment has.
      resource: defaultResource()
        .merge(detectResources({ detectors: [envDetector] }))
        .merge(resourceFromAttributes({ 'service.name': serviceName, 'service.version': VERSION })),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
      spanProcessors: [
        new BatchSpanProcessor(exporter, {
          exportTimeoutMillis: EXPORT_TIMEOUT_MS,
          maxQueueSize: MAX_QUEUED,
        }),
      ],
    });
    this.tracer = this.provider.getTracer('evolution-relay', VERSION);
  }

  received(source: string, { id, event, instance }: Envelope): EventTrace {
    const span = this.tracer.startSpan(
      `receive ${eventLabel(event)}`,
      {
        kind: SpanKind.CONSUMER,
        attributes: {
          'messaging.system': SYSTEMS[source] ?? source,
          'messaging.operation.type': 'receive',
          'messaging.message.id': id,
          'evolution.event': event,
          'evolution.instance': instance,
        },
      },
      ROOT_CONTEXT,
    );
    return new SpanOfEvent(span);
  }

  attempt({ id, destination, envelope }: Delivery, attempt: number): AttemptTrace {
    const parent = parseTraceparent(envelope.traceparent);
    const span = this.tracer.startSpan(
      `attempt ${destination.kind}`,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'evolution.event': envelope.event,
          'evolution.instance': envelope.instance,
          'relay.delivery': id,
          'relay.destination': destination.id,
          'relay.attempt': attempt,
        },
      },
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    return new SpanOfAttempt(span);
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    // What cannot be sent was said before.
    await this.provider.shutdown().catch(() => {});
  }
}

/** OpenTelemetry reports to one place for the whole process; its words name addresses. */
function logFailures(log: Logger): void {
  const warn = throttled(() => log.warn('traces cannot be sent', { code: 'COLLECTOR_UNREACHED' }));
  const nothing = (): void => {};
  const logger = { warn: nothing, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(
    { ...logger, error: () => warn(undefined) },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
}

class SpanOfEvent implements EventTrace {
  readonly traceparent: string;

  constructor(private readonly span: Span) {
    this.traceparent = traceparentOf(span.spanContext());
  }

  settled(settlement: Settlement): void {
    this.span.setAttribute('relay.settlement', settlement);
    this.span.end();
  }
}

class SpanOfAttempt implements AttemptTrace {
  readonly traceparent: string;

  constructor(private readonly span: Span) {
    this.traceparent = traceparentOf(span.spanContext());
  }

  ended({ outcome }: AttemptRecord): void {
    const attributes: Attributes = { 'relay.outcome': outcome.kind };
    if ('status' in outcome && outcome.status !== undefined)
      attributes['http.response.status_code'] = outcome.status;
    if ('code' in outcome) attributes['error.type'] = outcome.code;
    this.span.setAttributes(attributes);
    if (outcome.kind !== 'delivered' && outcome.kind !== 'discarded')
      this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }
}
