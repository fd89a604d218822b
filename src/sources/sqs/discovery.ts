import { Slices } from '../../time/slices';
import type { SqsApi } from './api';
import { accountOfQueue, type ConsumedQueue, nameOfQueue } from './queue-names';
import { troubleOf } from './trouble';
import type { WantedQueues } from './wanted-queues';

export interface Search {
  readonly api: Pick<SqsApi, 'list'>;
  readonly wanted: WantedQueues;
  /** Queues of other accounts are left alone; empty: of whatever account. */
  readonly accountId: string;
  /** What was found before: it stays where the service does not say which queues there are now. */
  readonly before: readonly ConsumedQueue[];
}

export interface Found {
  readonly queues: readonly ConsumedQueue[];
  /** Accounts of queues that have such names but belong to somebody else. */
  readonly otherAccounts: readonly string[];
  /** Prefixes whose queues the service did not list, and why. */
  readonly failures: readonly { readonly prefix: string; readonly error: unknown }[];
  /** There are more than can be consumed. */
  readonly isCut: boolean;
}

/** Queues consumed at once, at about half a kilobyte each; ten times as many as were tried. */
const MAX_QUEUES = 100_000;
/** Names between two looks at the time. */
const STRIDE = 100;

/**
 * Looks for the queues that are wanted, without holding the event loop up. A list that is refused ends nothing but
 * itself; where the service is away, the other lists are not asked for.
 */
export async function findQueues(search: Search): Promise<Found> {
  const collection = new Collection(search);
  const prefixes = search.wanted.prefixes();
  const failures: { prefix: string; error: unknown }[] = [];
  const missed: string[] = [];
  for (const [index, prefix] of prefixes.entries()) {
    try {
      for await (const urls of search.api.list(prefix)) await collection.addAll(urls);
    } catch (error) {
      failures.push({ prefix, error });
      const isAway = troubleOf(error) === 'away';
      missed.push(...(isAway ? prefixes.slice(index) : [prefix]));
      if (isAway) break;
    }
  }
  const isMissed = ({ name }: ConsumedQueue): boolean => missed.some((prefix) => name.startsWith(prefix));
  await collection.addAll(search.before.filter(isMissed).map(({ url }) => url));
  return { ...collection.found, failures };
}

/** Gathers those of the queues that are wanted, and says what was left out. */
class Collection {
  private readonly queues = new Map<string, ConsumedQueue>();
  private readonly otherAccounts = new Set<string>();
  private readonly slices = new Slices();

  constructor(private readonly search: Search) {}

  get found(): Omit<Found, 'failures'> {
    const { queues, otherAccounts } = this;
    return {
      queues: [...queues.values()],
      otherAccounts: [...otherAccounts],
      isCut: queues.size >= MAX_QUEUES,
    };
  }

  async addAll(urls: readonly string[]): Promise<void> {
    for (const [position, url] of urls.entries()) {
      if (position % STRIDE === 0) await this.slices.pause();
      const queue = consumedOf(url, this.search.wanted);
      if (queue !== undefined) this.add(queue);
    }
  }

  private add(queue: ConsumedQueue): void {
    const { accountId } = this.search;
    const account = accountOfQueue(queue.url);
    if (accountId !== '' && account !== undefined && account !== accountId) this.otherAccounts.add(account);
    else if (this.queues.size < MAX_QUEUES) this.queues.set(queue.url, queue);
  }
}

/** Those of the queues that are wanted now. */
export async function stillWanted(
  queues: readonly ConsumedQueue[],
  wanted: WantedQueues,
): Promise<ConsumedQueue[]> {
  const slices = new Slices();
  const still: ConsumedQueue[] = [];
  for (const [position, { url }] of queues.entries()) {
    if (position % STRIDE === 0) await slices.pause();
    const queue = consumedOf(url, wanted);
    if (queue !== undefined) still.push(queue);
  }
  return still;
}

function consumedOf(url: string, wanted: WantedQueues): ConsumedQueue | undefined {
  const name = nameOfQueue(url);
  const origin = wanted.match(name);
  return origin && { url, name, origin };
}
