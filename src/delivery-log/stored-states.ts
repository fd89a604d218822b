import { fromStore } from '../errors';
import { bodyOf, readJob } from '../retry/job';
import type { StoredCalls } from '../retry/retry-store';

/** Where a delivery lies now. */
export type StoredState =
  | { readonly kind: 'parked' | 'none' }
  | { readonly kind: 'dead'; readonly reason: string };

const AT_ONCE = 500;

/** What is stored of deliveries at this moment, parked or dead. */
export class StoredStates {
  constructor(private readonly store: Pick<StoredCalls, 'call'>) {}

  async of(ids: readonly string[]): Promise<ReadonlyMap<string, StoredState>> {
    const states = new Map<string, StoredState>();
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const some = ids.slice(start, start + AT_ONCE);
      const words = (await fromStore(this.store.call('relayStates', ...some))) as string[];
      for (const [index, id] of some.entries()) states.set(id, stateOf(words[index] ?? ''));
    }
    return states;
  }

  /** Undefined where nothing readable is stored. */
  async body(id: string): Promise<Buffer | undefined> {
    const text = await fromStore(this.store.call('relayData', id));
    const record = readJob(String(text));
    return record.kind === 'job' ? bodyOf(record.data).catch(() => undefined) : undefined;
  }
}

function stateOf(word: string): StoredState {
  if (word === 'parked') return { kind: 'parked' };
  return word.startsWith('dead ') ? { kind: 'dead', reason: word.slice(5) } : { kind: 'none' };
}
