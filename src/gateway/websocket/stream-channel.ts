import { setTimeout as delay } from 'node:timers/promises';
import type { StreamKeys } from '../../destinations/websocket/stream';
import { type ChannelClient, Follower } from './follower';
import { BEGINNING, compareIds, type StreamId } from './stream-id';
import type { StreamMessage } from './stream-message';
import { PAGE, type Reach, type StreamReader } from './stream-reader';

export interface ChannelParts {
  readonly keys: StreamKeys;
  readonly reader: StreamReader;
  readonly subscribe: () => Promise<unknown>;
  /** Many may come back at once, each to be sent its own past: a few at a time hold theirs in memory. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Nobody follows it any more. */
  readonly onEmpty: () => void;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 500;
/** A client that takes nothing for so long gives its turn to others. */
const FLUSH_MS = 10_000;

/**
 * The followers of one stream. What is published is handed on as it comes; the stream itself is read only for those
 * that missed something: a client that comes back, or all of them after the connection to Redis was lost.
 */
export class Channel {
  private readonly followers = new Set<Follower>();
  /** Clients on their way in. */
  private expected = 0;
  /** Of the last message handed on. */
  private position: StreamId = BEGINNING;
  /** Messages may have been missed: what is published is left to be read. */
  private isBehind = true;
  /** Something was published meanwhile. */
  private isMore = false;
  private closed = false;
  /** What makes up for what was missed, one after the other. */
  private catchingUp: Promise<void> | undefined;

  constructor(private readonly parts: ChannelParts) {}

  /** Resolves to the position from which on nothing will be missed; call `join` or `leave` after it. */
  async open(): Promise<StreamId> {
    this.expected++;
    this.catchingUp ??= this.begin();
    await this.catchingUp;
    return this.position;
  }

  /** Instead of `join`, for a client that went away on its way in. */
  leave(): void {
    this.expected--;
    this.closeIfEmpty();
  }

  /** Sends what came after `position`, and from then on what comes. Returns what ends it. */
  join(client: ChannelClient, position: StreamId): () => void {
    this.expected--;
    const follower = new Follower(client, position);
    this.followers.add(follower);
    const missedNothing = !this.isBehind && compareIds(position, this.position) === 0;
    if (missedNothing) follower.catchUp();
    else this.replay(follower).catch(this.parts.onError);
    return () => {
      this.followers.delete(follower);
      this.closeIfEmpty();
    };
  }

  reachOf(position: StreamId): Promise<Reach> {
    return this.parts.reader.reachOf(this.parts.keys, position);
  }

  take(message: StreamMessage): void {
    if (this.isBehind) this.isMore = true;
    else if (compareIds(message.id, this.position) > 0) this.handOn(message);
  }

  /** The connection was lost and is back: what was published meanwhile was not heard. */
  resume(): void {
    this.isBehind = true;
    this.catchingUp = this.catchingUp?.then(() => this.subscribeAgain());
    this.catchingUp?.catch(this.parts.onError);
  }

  close(): void {
    this.closed = true;
  }

  private async begin(): Promise<void> {
    await this.subscribe();
    this.position = await this.persistently(() => this.parts.reader.end(this.parts.keys), BEGINNING);
    await this.readOn();
  }

  private async subscribeAgain(): Promise<void> {
    this.isBehind = true;
    await this.subscribe();
    await this.readOn();
  }

  private async subscribe(): Promise<void> {
    await this.persistently<unknown>(() => this.parts.subscribe(), undefined);
  }

  /** Hands on what the stream has after the position, until nothing is missing. */
  private async readOn(): Promise<void> {
    do {
      this.isMore = false;
      const page = await this.after(this.position);
      for (const message of page) this.handOn(message);
      if (page.length === PAGE) this.isMore = true;
    } while (this.isMore && !this.closed);
    this.isBehind = false;
  }

  private handOn(message: StreamMessage): void {
    this.position = message.id;
    for (const follower of this.followers) follower.take(message);
  }

  private async replay(follower: Follower): Promise<void> {
    let isDone = false;
    while (!isDone) isDone = await this.parts.inTurn(() => this.replayPage(follower));
  }

  /** True when the follower needs no more of the past. */
  private async replayPage(follower: Follower): Promise<boolean> {
    const { client } = follower;
    follower.remember();
    const page = await this.after(follower.position);
    for (const message of page) {
      if (client.isGone || this.closed) return true;
      follower.send(message);
      // No faster than the client takes it.
      if (client.isFull && !(await inTime(client.flushed()))) client.tooSlow();
    }
    return client.isGone || this.closed || (page.length < PAGE && follower.catchUp());
  }

  private after(position: StreamId): Promise<StreamMessage[]> {
    const { reader, keys } = this.parts;
    return this.persistently(() => reader.after(keys, position), []);
  }

  /** While Redis is away clients wait; `otherwise` once the channel is closed. */
  private async persistently<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
    while (!this.closed) {
      try {
        return await work();
      } catch (error) {
        this.parts.onError(error);
        await delay(RETRY_MS);
      }
    }
    return otherwise;
  }

  private closeIfEmpty(): void {
    if (this.followers.size > 0 || this.expected > 0 || this.closed) return;
    this.closed = true;
    this.parts.onEmpty();
  }
}

async function inTime(work: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(FLUSH_MS, false, { signal: timer.signal }).catch(() => false);
  const isInTime = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return isInTime;
}
