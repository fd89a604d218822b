import type { Finding } from '../observability/finding';
import { ADDRESS_LIVES_MS, addressesOf } from '../retry/address-roster';
import type { RetryStore } from '../retry/retry-store';

const PART = 'workers';
const CHECK = 'addresses';

/** Whether the workers that run now send to the same addresses; nothing where none runs. */
export async function inspectAddresses(store: RetryStore): Promise<Finding[]> {
  const entries = (await store.call('relayAddresses', ADDRESS_LIVES_MS)) as readonly string[];
  const all = [...addressesOf(entries)];
  const different = all.filter(([, addresses]) => addresses.length > 1);
  if (different.length === 0)
    return all.length === 0 ? [] : [{ part: PART, check: CHECK, state: 'ok', detail: 'the same in all' }];
  return different.map(([id, { length }]) => ({
    part: PART,
    check: CHECK,
    state: 'trouble',
    detail:
      `${id} has ${length} addresses: a change of it is being rolled out, or a worker stopped less than ` +
      `${ADDRESS_LIVES_MS / 1000} s ago; where it stays so, give each of the systems a REDIS_PREFIX_KEY of its own`,
  }));
}
