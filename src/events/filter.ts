/** Which events pass: all, or those whose filter key is in the set. */
export type EventFilter = 'all' | ReadonlySet<string>;

export function passes(filter: EventFilter, key: string): boolean {
  return filter === 'all' || filter.has(key);
}
