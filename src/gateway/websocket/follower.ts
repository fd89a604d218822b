import { compareIds, type StreamId } from './stream-id';
import type { StreamMessage } from './stream-message';

/** What a client is told that resumes: besides events, and shaped like them. `id` is where it now is. */
export type Notice =
  | { readonly event: 'relay.ready'; readonly id: StreamId; readonly data: Readonly<Record<string, never>> }
  /** Events that it asks for are no longer there. */
  | { readonly event: 'relay.gap'; readonly id: StreamId; readonly data: Gap };

interface Gap {
  readonly lastEventId: StreamId;
  readonly resumedAfter: StreamId;
}

/** The client of a channel, whatever it speaks. None of these throws. */
export interface ChannelClient {
  send(message: StreamMessage): void;
  notify(notice: Notice): void;
  /** Resolves when everything sent has left, or the client has gone. */
  flushed(): Promise<void>;
  readonly isGone: boolean;
  /** More than a little is still on its way. */
  readonly isFull: boolean;
  /** It took too long: it is to be disconnected. */
  tooSlow(): void;
}

/** Messages that came while a client was being sent what it missed; beyond that they are read once more. */
const MAX_PENDING = 1000;

/** A client's place in a channel: first it is sent what it missed, then what comes. */
export class Follower {
  /** Messages that came meanwhile; undefined: it receives them as they come. */
  private pending: StreamMessage[] | undefined = [];
  private overflowed = false;
  private last: StreamId;
  /** Something newer than `last` came: nothing older can come any more. */
  private isPast = false;

  constructor(
    readonly client: ChannelClient,
    position: StreamId,
  ) {
    this.last = position;
  }

  /** Of what it received last. */
  get position(): StreamId {
    return this.last;
  }

  /** A message that just came. */
  take(message: StreamMessage): void {
    if (this.isPast) this.client.send(message);
    else if (this.pending === undefined) this.isPast = this.send(message);
    else if (this.pending.length < MAX_PENDING) this.pending.push(message);
    else this.overflowed = true;
  }

  /** Before the past is read: what comes from here on is remembered. */
  remember(): void {
    this.pending = [];
    this.overflowed = false;
  }

  /** A message of the past, or one that came meanwhile. False where it was sent before. */
  send(message: StreamMessage): boolean {
    if (compareIds(message.id, this.last) <= 0) return false;
    this.last = message.id;
    this.client.send(message);
    return true;
  }

  /** After the past was read up to its end: hands on what came meanwhile. False where that was too much. */
  catchUp(): boolean {
    if (this.overflowed) return false;
    for (const message of this.pending ?? []) this.send(message);
    this.pending = undefined;
    return true;
  }
}
