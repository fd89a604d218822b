import { endsWithin } from '../../time/within';
import type { StreamId } from './stream-id';
import type { StreamMessage } from './stream-message';
import type { Gap, Page } from './stream-reader';

/** What a client that resumes receives besides events, in their form. `id` is where it now is. */
export type Notice =
  | { readonly event: 'relay.ready'; readonly id: StreamId; readonly data: Readonly<Record<string, never>> }
  /** Events that it has not received are no longer there. */
  | { readonly event: 'relay.gap'; readonly id: StreamId; readonly data: Gap };

/** The client of a channel, whatever it speaks. None of these throws. */
export interface ChannelClient {
  send(message: StreamMessage): void;
  notify(notice: Notice): void;
  /** Of what it was sent, what has not left this process. */
  readonly unreadBytes: number;
  /** Of those, what is held for this client alone whatever others read. */
  readonly copiedBytes: number;
  /** A live client that leaves more than this unread is cut off. */
  readonly bufferBytes: number;
  /** Resolves when everything sent has left, or the client has gone. */
  flushed(): Promise<void>;
  readonly isGone: boolean;
  /** It took too long: it is to be disconnected. */
  tooSlow(): void;
}

/**
 * `waiting`: to read what it missed, or while that is read. `draining`: it was sent as much as it may leave unread, and
 * reads. `live`: it receives what is published. `gone`: it is sent nothing more.
 */
export type FollowerState = 'waiting' | 'draining' | 'live' | 'gone';

export interface FollowerParts {
  readonly client: ChannelClient;
  /** Reads on when it is this stream's turn, however long Redis is away; undefined once the channel is closed. */
  readonly read: (position: StreamId) => Promise<Page | undefined>;
  /** Makes a follower live that has everything, or waits until reading once more is of use. */
  readonly meet: (follower: Follower, page: Page) => Promise<void> | void;
  /** Sent to this follower alone. */
  readonly onSent: (bytes: number) => void;
}

/** What a client that catches up may leave unread before it is sent more: each holds a copy of its own. */
const PACE_BYTES = 262_144;
/** A client that takes nothing for so long is disconnected. */
const FLUSH_MS = 30_000;

/** A client's place in a stream: first it is sent what it missed, at its own pace, then what comes. */
export class Follower {
  readonly client: ChannelClient;
  private current: FollowerState = 'waiting';
  private last: StreamId = '';
  /** What it was sent as its own copy may still be unread. */
  private hasOwn = false;

  constructor(private readonly parts: FollowerParts) {
    this.client = parts.client;
  }

  get state(): FollowerState {
    return this.current;
  }

  /** Of what it was sent last. */
  get position(): StreamId {
    return this.last;
  }

  /** Bytes that are held for it alone; of what all receive there is one copy. */
  get ownBytes(): number {
    const { unreadBytes, copiedBytes } = this.client;
    if (unreadBytes === 0) this.hasOwn = false;
    return this.hasOwn ? unreadBytes : copiedBytes;
  }

  /** Sends what came after `position` until it is live or gone. */
  async catchUp(position: StreamId): Promise<void> {
    this.last = position;
    this.become('waiting');
    while (this.current === 'waiting') {
      const page = await this.parts.read(this.last);
      if (page === undefined || this.client.isGone) this.become('gone');
      else await this.goOn(page);
    }
  }

  /** It has everything up to `position`, and is handed on what comes, until `catchUp` begins anew. */
  goLive(position: StreamId): void {
    this.last = position;
    this.become('live');
  }

  leave(): void {
    this.become('gone');
  }

  /** An event that is its own copy. */
  sendOwn(message: StreamMessage): void {
    this.last = message.id;
    this.hasOwn = true;
    this.client.send(message);
    this.parts.onSent(message.bytes);
  }

  private async goOn(page: Page): Promise<void> {
    if (this.current !== 'waiting') return;
    this.hand(page);
    if (this.isFull) await this.drain();
    else if (!page.isMore) await this.parts.meet(this, page);
  }

  private hand({ gap, messages }: Page): void {
    if (gap !== undefined) {
      this.last = gap.resumedAfter;
      this.client.notify({ event: 'relay.gap', id: gap.resumedAfter, data: gap });
    }
    for (const message of messages) {
      if (this.isFull || this.client.isGone) return;
      this.sendOwn(message);
    }
  }

  private get isFull(): boolean {
    return this.client.unreadBytes > Math.min(PACE_BYTES, this.client.bufferBytes / 2);
  }

  /** Holds no place for reading meanwhile: what was read and not sent is read again. */
  private async drain(): Promise<void> {
    this.become('draining');
    const { client } = this;
    for (let unread = Number.POSITIVE_INFINITY; client.unreadBytes < unread; ) {
      unread = client.unreadBytes;
      if (await endsWithin(client.flushed(), FLUSH_MS)) return this.become('waiting');
    }
    this.become('gone');
    client.tooSlow();
  }

  /** A follower that has gone stays so, whatever was under way. */
  private become(state: FollowerState): void {
    if (this.current !== 'gone') this.current = state;
  }
}
