import { type Envelope, parseEnvelope } from '../events/envelope';
import { bodyOf, originOf, readJob } from '../retry/job';
import type { RetryStore } from '../retry/retry-store';
import { ownersOf } from '../retry/shares';

/** An event of an instance that is stored, as something could not be delivered at once. */
export interface RecentEvent {
  readonly state: 'dead' | 'parked';
  readonly envelope: Envelope;
}

/** Parked deliveries among which one of the instance is looked for: a search must not keep Redis from others. */
const MOST_LOOKED_AT = 500;

/** An event of the instance that was stored not long ago; undefined where none is found. */
export async function recentEvent(
  store: Pick<RetryStore, 'call'>,
  instance: string,
): Promise<RecentEvent | undefined> {
  const found = (await store.call('relayRecent', MOST_LOOKED_AT, ...ownersOf(instance))) as string[];
  const [state, text] = found;
  if ((state !== 'dead' && state !== 'parked') || text === undefined) return undefined;
  const record = readJob(text);
  if (record.kind !== 'job') return undefined;
  return { state, envelope: parseEnvelope(await bodyOf(record.data), originOf(record.data)) };
}
