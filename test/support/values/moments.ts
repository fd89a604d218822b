/** The most of these times, in their order, that lie within any time of that length. */
export function mostWithin(times: readonly number[], ms: number): number {
  let [most, first] = [0, 0];
  for (const [index, time] of times.entries()) {
    while (time - (times[first] ?? 0) >= ms) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
