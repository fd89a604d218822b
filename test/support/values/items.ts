/** The item at this place; a test that expects it there fails with how many there are. */
export function nth<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}: there are ${items.length}`);
  return item;
}
