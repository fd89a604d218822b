import type { TracingConfig } from '../config/tracing-config';
import type { Logger } from '../observability/logging';
import type { OtelTracing } from './otel-tracing';

/** Loads OpenTelemetry, which takes its time and memory: only a worker whose operator asks for traces pays for it. */
export async function openTracing(
  config: TracingConfig | undefined,
  log: Logger,
): Promise<OtelTracing | undefined> {
  if (config === undefined) return undefined;
  const { OtelTracing: Loaded } = await import('./otel-tracing.js');
  return new Loaded(config, log);
}
