import type { ChannelClient } from './follower';
import type { Channel } from './stream-channel';

export interface HeldBytesOptions {
  /** Most that is held for clients that have not read it, in all. */
  readonly maxBytes: number;
  /** And for the clients of one stream. */
  readonly maxBytesPerStream: number;
}

interface Account {
  /** When it was last counted. */
  counted: number;
  /** Most that can have been added since. */
  added: number;
}

/** Where so much of a limit is held, clients are disconnected until less is: counting again at once finds nothing new. */
const TOO_MUCH = 0.9;
const ENOUGH = 0.8;

/**
 * Bounds what is held for clients that have not read it. What all clients of a stream receive is one buffer, and counts
 * once; what a client is sent by itself counts for each. Counted only when so much was sent that the limit may be
 * exceeded, as clients that read hold nothing. Where it is exceeded, those that have most unread are disconnected first:
 * they may come back, and resume.
 */
export class HeldBytes {
  private readonly accounts = new Map<Channel, Account>();
  private total: Account = { counted: 0, added: 0 };

  constructor(private readonly options: HeldBytesOptions) {}

  /** A message was sent to one or all clients of a stream. */
  add(channel: Channel, bytes: number): void {
    const { maxBytes, maxBytesPerStream } = this.options;
    const account = this.accountOf(channel);
    account.added += bytes;
    this.total.added += bytes;
    if (account.counted + account.added > maxBytesPerStream) this.bound([channel], maxBytesPerStream);
    if (this.total.counted + this.total.added > maxBytes) this.boundAll();
  }

  forget(channel: Channel): void {
    this.accounts.delete(channel);
  }

  private boundAll(): void {
    const held = this.bound([...this.accounts.keys()], this.options.maxBytes);
    this.total = { counted: held, added: 0 };
  }

  /** Disconnects clients of these streams where too much is held for them together. Returns what is held then. */
  private bound(channels: readonly Channel[], maxBytes: number): number {
    const held = this.count(channels);
    if (held <= maxBytes * TOO_MUCH) return held;
    const largestFirst = channels.flatMap(readersOf).sort((a, b) => b.unread - a.unread);
    for (const { client } of largestFirst.slice(0, surplusOf(largestFirst, maxBytes * ENOUGH)))
      client.tooSlow();
    return this.count(channels);
  }

  private count(channels: readonly Channel[]): number {
    return channels.reduce((held, channel) => held + this.countOne(channel), 0);
  }

  private countOne(channel: Channel): number {
    const account = this.accountOf(channel);
    account.counted = heldFor(readersOf(channel));
    account.added = 0;
    return account.counted;
  }

  private accountOf(channel: Channel): Account {
    let account = this.accounts.get(channel);
    if (account === undefined) {
      account = { counted: 0, added: 0 };
      this.accounts.set(channel, account);
    }
    return account;
  }
}

/** A client at the moment of counting. */
interface Reader {
  readonly channel: Channel;
  readonly client: ChannelClient;
  readonly unread: number;
  /** Held for it alone. */
  readonly own: number;
}

function readersOf(channel: Channel): Reader[] {
  return [...channel.all].flatMap(({ client, ownBytes }) =>
    client.isGone ? [] : [{ channel, client, unread: client.unreadBytes, own: ownBytes }],
  );
}

/** Of what is the same for all of a stream, the one that has most unread holds everything that the others do. */
function heldFor(readers: readonly Reader[]): number {
  const shared = new Map<Channel, number>();
  let held = 0;
  for (const { channel, unread, own } of readers) {
    held += own;
    shared.set(channel, Math.max(shared.get(channel) ?? 0, unread - own));
  }
  for (const bytes of shared.values()) held += bytes;
  return held;
}

/** How many of them, from the first on, must go so that no more than `maxBytes` is held. */
function surplusOf(readers: readonly Reader[], maxBytes: number): number {
  let [tooFew, enough] = [0, readers.length];
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >> 1;
    if (heldFor(readers.slice(middle)) > maxBytes) tooFew = middle;
    else enough = middle;
  }
  return enough;
}
