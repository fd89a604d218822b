import type { SqsApi } from './api';
import {
  accountOfQueue,
  type ConsumedQueue,
  matchName,
  nameOfQueue,
  prefixOf,
  type WantedQueue,
} from './queue-names';

/** More prefixes than this are not asked for one by one: all queues are listed, a thousand with each call. */
const MAX_PREFIXES = 20;

export interface Found {
  readonly queues: readonly ConsumedQueue[];
  /** Accounts of queues that have such names but belong to somebody else. */
  readonly otherAccounts: readonly string[];
}

/** Looks for the queues that are wanted. */
export async function findQueues(
  api: Pick<SqsApi, 'list'>,
  wanted: readonly WantedQueue[],
  accountId: string,
): Promise<Found> {
  const queues = new Map<string, ConsumedQueue>();
  const otherAccounts = new Set<string>();
  for (const prefix of prefixesOf(wanted)) {
    for (const url of await api.list(prefix)) {
      const name = nameOfQueue(url);
      const origin = first(wanted, (each) => matchName(name, each));
      if (origin === undefined) continue;
      const account = accountOfQueue(url);
      if (accountId !== '' && account !== undefined && account !== accountId) otherAccounts.add(account);
      else queues.set(url, { url, name, origin });
    }
  }
  return { queues: [...queues.values()], otherAccounts: [...otherAccounts] };
}

function prefixesOf(wanted: readonly WantedQueue[]): string[] {
  const prefixes = [...new Set(wanted.map(prefixOf))].sort();
  if (prefixes.length <= MAX_PREFIXES) return prefixes;
  const [one = ''] = prefixes;
  const last = prefixes.at(-1) ?? '';
  let length = 0;
  while (length < one.length && one[length] === last[length]) length++;
  return [one.slice(0, length)];
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
