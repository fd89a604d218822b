/** Kept at the most while they are empty. */
const MOST_KEPT = 10_000;

/**
 * A map for names that come again and again, such as what each group holds. What became empty stays until there is much of it: where
 * entries are deleted and made anew V8 makes a table after the other, and keeps them (slot-map.ts).
 */
export class LastingMap<Name extends string, Value extends object> {
  private readonly values = new Map<Name, Value>();
  private most = MOST_KEPT;

  constructor(private readonly isEmpty: (value: Value) => boolean) {}

  get(name: Name): Value | undefined {
    return this.values.get(name);
  }

  /** Another one may make others be forgotten that are empty. */
  set(name: Name, value: Value): void {
    if (this.values.size >= this.most) this.forgetEmpty();
    this.values.set(name, value);
  }

  private forgetEmpty(): void {
    for (const [name, value] of this.values) if (this.isEmpty(value)) this.values.delete(name);
    this.most = Math.max(MOST_KEPT, 2 * this.values.size);
  }
}
