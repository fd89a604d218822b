import { errorCode, errorText } from '../errors';
import { monotonicMs } from '../time/monotonic';

/** An error as fields of a log line. */
export function describeError(error: unknown): Record<string, unknown> {
  return { code: errorCode(error), error: errorText(error) };
}

const QUIET_MS = 5000;

/** A server that is away fails many times a second: one line every five seconds says as much. */
export function throttled(report: (error: unknown) => void): (error: unknown) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = monotonicMs();
    if (now - last < QUIET_MS) return;
    last = now;
    report(error);
  };
}
