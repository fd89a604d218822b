/** A number with what it counts: `1 queue`, `2 queues`. `many` where it is not the same with an s. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${plural(count, one, many)}`;
}

/** The words that go with a number. */
export function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}
