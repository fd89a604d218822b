import { Redis } from 'ioredis';
import { StoreUnavailableError } from '../errors';
import { type Access, type ServerAddress, tlsOptionsFor } from './access';
import { whyNot } from './reply-error';

/** Finds the server that takes the relay's writes at this moment. */
export interface Locator {
  locate(): Promise<ServerAddress>;
  /** Whether a server that was connected to is one that takes writes, by what it says of itself (INFO). */
  accepts(info: Readonly<Record<string, string>>): boolean;
  /** Whether an answer of this kind says that another server takes the writes now. */
  readonly movesAfter: ReadonlySet<string>;
}

/** How to ask one server of a list where the writes go. */
export interface Guide {
  readonly access: Access;
  readonly tls: boolean;
  /** Undefined where the server does not know; others may be named that can be asked as well. */
  readonly ask: (redis: Redis, asked: ServerAddress) => Promise<Direction | undefined>;
}

export interface Direction {
  readonly target: ServerAddress;
  readonly others: readonly ServerAddress[];
}

/** One server at one address. */
export function fixedLocator(address: ServerAddress): Locator {
  return { locate: async () => address, accepts: () => true, movesAfter: new Set() };
}

/** The longest that one server is waited for: a frozen one takes the connection and says nothing. */
const ASK_MS = 3000;
/** After the first answer, so that a server with an old view is outvoted. */
const GRACE_MS = 300;
/** Servers remembered in all; a Cluster has at most a thousand nodes that anybody recommends. */
const MAX_SERVERS = 1000;
const FAILED_OVER: ReadonlySet<string> = new Set([
  'READONLY',
  'MOVED',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'UNBLOCKED',
]);

/** Asks all servers of a list at once, and goes where most of them point. */
export class GuidedLocator implements Locator {
  readonly movesAfter = FAILED_OVER;
  private readonly servers = new Map<string, ServerAddress>();
  private locating: Promise<ServerAddress> | undefined;

  constructor(
    servers: readonly ServerAddress[],
    private readonly guide: Guide,
  ) {
    this.remember(servers);
  }

  /** Several connections that look for the server at once share the answer. @throws StoreUnavailableError */
  locate(): Promise<ServerAddress> {
    this.locating ??= this.find().finally(() => {
      this.locating = undefined;
    });
    return this.locating;
  }

  accepts({ role }: Readonly<Record<string, string>>): boolean {
    return role === undefined || role === 'master';
  }

  private async find(): Promise<ServerAddress> {
    const directions: Direction[] = [];
    let lastError: unknown;
    let firstAnswer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      firstAnswer = resolve;
    });
    const asking = [...this.servers.values()].map(async (server) => {
      try {
        const direction = await this.ask(server);
        if (direction === undefined) return;
        directions.push(direction);
        firstAnswer();
      } catch (error) {
        lastError = error;
      }
    });
    const all = Promise.all(asking);
    await Promise.race([all, answered.then(() => graceOver())]);
    const target = mostNamed(directions.map(({ target }) => target));
    if (target === undefined) {
      throw new StoreUnavailableError(
        `no server says where Redis takes writes: ${lastError === undefined ? 'none knows' : whyNot(lastError)}`,
        { cause: lastError },
      );
    }
    this.remember(directions.flatMap(({ others }) => others));
    return target;
  }

  private async ask(server: ServerAddress): Promise<Direction | undefined> {
    const { access, tls } = this.guide;
    const redis = new Redis({
      ...access,
      ...server,
      ...(tls ? { tls: tlsOptionsFor(server) } : {}),
      connectionName: 'evolution-relay',
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: ASK_MS,
      commandTimeout: ASK_MS,
    });
    // What goes wrong rejects the commands.
    redis.on('error', () => {});
    try {
      return await this.guide.ask(redis, server);
    } finally {
      redis.disconnect();
    }
  }

  private remember(servers: readonly ServerAddress[]): void {
    for (const server of servers) {
      if (this.servers.size >= MAX_SERVERS) return;
      this.servers.set(nameOf(server), server);
    }
  }
}

function graceOver(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref());
}

/** The address that most point to; of several the one that was named first. */
export function mostNamed(addresses: readonly ServerAddress[]): ServerAddress | undefined {
  const votes = new Map<string, { readonly address: ServerAddress; count: number }>();
  for (const address of addresses) {
    const vote = votes.get(nameOf(address)) ?? { address, count: 0 };
    vote.count++;
    votes.set(nameOf(address), vote);
  }
  let best: { readonly address: ServerAddress; readonly count: number } | undefined;
  for (const vote of votes.values()) if (best === undefined || vote.count > best.count) best = vote;
  return best?.address;
}

function nameOf({ host, port }: ServerAddress): string {
  return `${host} ${port}`;
}

/** Sentinels name the master of their group. */
export function sentinelGuide(group: string, access: Access, tls: boolean): Guide {
  return {
    access,
    tls,
    ask: async (redis) => {
      const answer = await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', group);
      if (!Array.isArray(answer)) return undefined;
      const target = { host: String(answer[0]), port: Number(answer[1]) };
      return { target, others: await otherSentinels(redis, group) };
    },
  };
}

/** Sentinels know each other; those that are down are asked again when the others name them. */
async function otherSentinels(redis: Redis, group: string): Promise<ServerAddress[]> {
  const known = (await redis.call('SENTINEL', 'SENTINELS', group)) as unknown;
  if (!Array.isArray(known)) return [];
  return known.map(asRecord).flatMap(({ ip, port }) => {
    return ip === undefined || port === undefined ? [] : [{ host: ip, port: Number(port) }];
  });
}

/** A flat list of names and values, or the map that newer protocols make of it. */
function asRecord(entry: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(entry)) return (entry ?? {}) as Record<string, string>;
  const record: Record<string, string> = {};
  for (let index = 0; index + 1 < entry.length; index += 2)
    record[String(entry[index])] = String(entry[index + 1]);
  return record;
}

/** `[first slot, last slot, master, …replicas]`; a node is `[host, port, …]`, without a host: the one that was asked. */
type SlotRange = readonly [first: number, last: number, ...nodes: readonly (readonly unknown[])[]];

/**
 * Cluster nodes name the owner of the slot that holds everything under the prefix: one slot, so that an ordinary connection
 * to its owner is all that the relay needs of a Cluster.
 */
export function clusterGuide(prefix: string, access: Access, tls: boolean): Guide {
  return {
    access,
    tls,
    ask: async (redis, asked) => {
      const [slot, ranges] = await Promise.all([
        redis.call('CLUSTER', 'KEYSLOT', `{${prefix}}`) as Promise<number>,
        redis.call('CLUSTER', 'SLOTS') as Promise<SlotRange[]>,
      ]);
      const address = ([host, port]: readonly unknown[]): ServerAddress => ({
        host: typeof host === 'string' && host !== '' ? host : asked.host,
        port: Number(port),
      });
      const owned = ranges.find(([first, last]) => first <= slot && slot <= last);
      const master = owned?.[2];
      if (master === undefined) return undefined;
      const others = ranges.flatMap(([, , ...nodes]) => nodes.map(address));
      return { target: address(master), others };
    },
  };
}
