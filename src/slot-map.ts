/** Places of the table at first; a power of two. */
const FIRST_PLACES = 64;
const NONE = -1;
/**
 * Characters of an id that its hash is made of, and those at the end that are left out where there are more: ids of deliveries and of
 * lanes end with their destination's key, which many have in common. The ones before are as good as random.
 */
const TELLING = 6;
const COMMON_END = 8;
const PRIME = 0x01000193;

/**
 * A map for what passes through: ids that come once and go within milliseconds.
 *
 * A `Map` makes a new table whenever half of the one that it has was deleted, and V8 lets the old table lead to the new one, for the
 * sake of iterators. Once one of them has become old in the sense of the collector, all that follow are kept until the next full
 * collection, and with them whatever was in them meanwhile. Here the tables hold numbers, and the arrays are never replaced by others
 * that they lead to, so that nothing outlives its deletion and nothing is made for an entry.
 */
export class SlotMap<Id extends string, Value> {
  /** The first slot of each place, and for each slot the next one of the same place. */
  private first = new Int32Array(FIRST_PLACES).fill(NONE);
  private readonly next: number[] = [];
  /** Of each slot's id: to compare texts takes longer. */
  private readonly hashes: number[] = [];
  private readonly ids: (Id | undefined)[] = [];
  private readonly values: (Value | undefined)[] = [];
  private readonly free: number[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(id: Id): Value | undefined {
    const slot = this.find(id, hashOf(id));
    return slot === NONE ? undefined : this.values[slot];
  }

  has(id: Id): boolean {
    return this.find(id, hashOf(id)) !== NONE;
  }

  set(id: Id, value: Value): void {
    const hash = hashOf(id);
    const known = this.find(id, hash);
    if (known === NONE) this.add(id, hash, value);
    else this.values[known] = value;
  }

  delete(id: Id): boolean {
    const slot = this.find(id, hashOf(id));
    if (slot === NONE) return false;
    this.unlink(slot);
    this.ids[slot] = undefined;
    this.values[slot] = undefined;
    this.free.push(slot);
    this.count--;
    return true;
  }

  /** All of this moment, in no order. */
  entries(): (readonly [Id, Value])[] {
    return this.ids.flatMap((id, slot) =>
      id === undefined ? [] : [[id, this.values[slot] as Value] as const],
    );
  }

  private find(id: Id, hash: number): number {
    let slot = this.first[this.placeOf(hash)] as number;
    while (slot !== NONE && (this.hashes[slot] !== hash || this.ids[slot] !== id))
      slot = this.next[slot] as number;
    return slot;
  }

  private add(id: Id, hash: number, value: Value): void {
    const slot = this.free.pop() ?? this.ids.length;
    this.hashes[slot] = hash;
    this.ids[slot] = id;
    this.values[slot] = value;
    this.link(slot);
    if (++this.count > this.first.length) this.spread();
  }

  private placeOf(hash: number): number {
    return hash & (this.first.length - 1);
  }

  private link(slot: number): void {
    const place = this.placeOf(this.hashes[slot] as number);
    this.next[slot] = this.first[place] as number;
    this.first[place] = slot;
  }

  private unlink(slot: number): void {
    const place = this.placeOf(this.hashes[slot] as number);
    const behind = this.next[slot] as number;
    let before = this.first[place] as number;
    if (before === slot) {
      this.first[place] = behind;
      return;
    }
    while (this.next[before] !== slot) before = this.next[before] as number;
    this.next[before] = behind;
  }

  /** Twice as many places. */
  private spread(): void {
    this.first = new Int32Array(2 * this.first.length).fill(NONE);
    for (const [slot, id] of this.ids.entries()) if (id !== undefined) this.link(slot);
  }
}

function hashOf(id: string): number {
  const { length } = id;
  const end = length < TELLING + COMMON_END ? length : length - COMMON_END;
  let hash = length;
  for (let index = Math.max(0, end - TELLING); index < end; index++)
    hash = Math.imul(hash ^ id.charCodeAt(index), PRIME);
  return hash ^ (hash >>> 15);
}
