import type { Follower } from './follower';
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

  /** Disconnects clients of these streams until no more is held for them together. Returns what is held then. */
  private bound(channels: readonly Channel[], maxBytes: number): number {
    let held = this.count(channels);
    if (held <= maxBytes * TOO_MUCH) return held;
    const largestFirst = channels
      .flatMap(({ all }) => [...all].map((follower) => ({ follower, bytes: unreadOf(follower) })))
      .sort((a, b) => b.bytes - a.bytes);
    // Of what many share nothing is given back until the last of them is gone: so each round goes further.
    for (let rounds = 1; held > maxBytes * ENOUGH && largestFirst.length > 0; rounds *= 2) {
      let leftBytes = rounds * (held - maxBytes * ENOUGH);
      while (leftBytes > 0 && largestFirst.length > 0) {
        const { follower, bytes } = largestFirst.shift() ?? NOBODY;
        leftBytes -= bytes;
        follower?.client.tooSlow();
      }
      held = this.count(channels);
    }
    return held;
  }

  private count(channels: readonly Channel[]): number {
    return channels.reduce((held, channel) => held + this.countOne(channel), 0);
  }

  private countOne(channel: Channel): number {
    const account = this.accountOf(channel);
    account.counted = heldFor(channel.all);
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

const NOBODY = { follower: undefined, bytes: 0 };

/** Of what is the same for all, the one that has most unread holds everything that the others do. */
function heldFor(followers: ReadonlySet<Follower>): number {
  let [own, shared] = [0, 0];
  for (const follower of followers) {
    if (follower.client.isGone) continue;
    const { ownBytes } = follower;
    own += ownBytes;
    shared = Math.max(shared, follower.client.unreadBytes - ownBytes);
  }
  return own + shared;
}

function unreadOf({ client }: Follower): number {
  return client.isGone ? 0 : client.unreadBytes;
}
