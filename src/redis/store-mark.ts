/** Where the mark lies. */
export function storeMarkKey(prefix: string): string {
  return `{${prefix}}:store`;
}

/** What a process knows its store by: a mark that lies in it, and the number of its own last beat that was taken. */
export interface KnownStore {
  readonly mark: string;
  readonly beat: number;
}

/** What the store says when it is looked at again; undefined where it has nothing of it. */
export interface FoundStore {
  readonly mark: string | undefined;
  readonly beat: number | undefined;
}

export type StoreChange =
  | 'none'
  /** The store has no mark: it was flushed, or started empty. */
  | 'empty'
  /** It has another one: another server, or one that another process marked anew after it was emptied. */
  | 'another'
  /** It has forgotten what this process wrote a while ago: an old copy was restored. */
  | 'older';

/** A replica that takes over may miss the last second or so: that is not an old copy. */
const BEATS_FORGIVEN = 1;

/** Whether a store is still the one that is known. Pure. */
export function changeOf(known: KnownStore | undefined, found: FoundStore): StoreChange {
  if (known === undefined) return 'none';
  if (found.mark === undefined) return 'empty';
  if (found.mark !== known.mark) return 'another';
  return known.beat - (found.beat ?? 0) > BEATS_FORGIVEN ? 'older' : 'none';
}
