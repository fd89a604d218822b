/**
 * Milliseconds of a clock that nobody sets: only differences mean anything. Circuits, time limits and pauses are
 * measured by it, as the wall clock jumps (NTP, a resumed machine). Times that are stored or shown are `Date.now()`.
 */
export function monotonicMs(): number {
  return performance.now();
}
