import { LRUCache } from 'lru-cache';
import type { MalformedEventError } from '../../errors';
import type { Origin } from '../../events/envelope';
import type { Settlement, SourceMessage } from '../../pipeline/message';
import type { ReceivedMessage, SqsApi } from './api';
import { Batches } from './batches';
import { type ClaimChecks, type ClaimResult, isClaim } from './claim-check';
import { Deletions } from './deletions';
import { Room } from './intake-budget';
import { type Leased, Leases } from './leases';
import { Lanes } from './message-groups';
import { type ConsumedQueue, isFifo } from './queue-names';

export interface InboxParts {
  readonly api: SqsApi;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly visibilitySeconds: number;
  /** Undefined: what refers to S3 is handed over as it is. */
  readonly claims: ClaimChecks | undefined;
  readonly onMessage: (message: SourceMessage) => void;
  /** There may be room for more. */
  readonly onRoom: () => void;
  readonly onError: (error: unknown, queueUrl: string) => void;
}

/** A message that was received and is not deleted yet. */
interface Held extends Leased {
  readonly queueUrl: string;
  readonly lane: string | undefined;
  body: Buffer;
  /** Room that it takes. */
  bytes: number;
  flaw?: MalformedEventError;
  readonly origin: Origin;
  readonly sentAt: number | undefined;
  readonly receiveCount: number;
  /** Waits for its turn; is handed over; or is settled and shall be deleted. */
  state: 'waiting' | 'handed' | 'settled';
}

const NOTHING = Buffer.alloc(0);
/** Messages settled lately, which are deleted again where they come once more. */
const SETTLED_MEMORY = 20_000;
const RELEASE_LINGER_MS = 5;
/** No more is asked for while deletes fail for this many messages for each that may be held. */
const DELETE_BACKLOG = 4;

/**
 * What was received: handed over in order and within bounds, kept hidden from others meanwhile, deleted or given back
 * in the end.
 */
export class Inbox {
  readonly room: Room;
  private readonly lanes = new Lanes<Held>();
  private readonly leases: Leases<Held>;
  private readonly deletions: Deletions<Held>;
  private readonly releases: Batches<Held>;
  private readonly settled = new LRUCache<string, true>({ max: SETTLED_MEMORY });
  private stopped = false;

  constructor(private readonly parts: InboxParts) {
    const { api, onError } = parts;
    this.room = new Room(parts.maxMessages, parts.maxBytes);
    this.leases = new Leases({
      api,
      visibilitySeconds: parts.visibilitySeconds,
      onError,
    });
    this.deletions = new Deletions({
      api,
      onError,
      onDone: (message) => {
        this.leases.forget(message);
        parts.onRoom();
      },
    });
    this.releases = new Batches(RELEASE_LINGER_MS, (queueUrl, messages) =>
      this.sendReleases(queueUrl, messages),
    );
    this.leases.start();
  }

  /** Messages that may be asked for now. */
  get free(): number {
    const undeleted = this.leases.count - this.room.messages;
    return undeleted > this.parts.maxMessages * DELETE_BACKLOG ? 0 : this.room.free;
  }

  receive(queue: ConsumedQueue, messages: readonly ReceivedMessage[], askedAt: number): void {
    if (this.stopped) return this.refuse(queue, messages, askedAt);
    for (const message of this.admitAll(queue, messages, askedAt)) this.lanes.add(message);
    this.handOver();
  }

  /** Gives messages back that nobody wants any more. */
  refuse(queue: ConsumedQueue, messages: readonly ReceivedMessage[], askedAt: number): void {
    this.release(this.admitAll(queue, messages, askedAt).reverse());
  }

  /** Hands over no more; what waits goes back. */
  stop(): void {
    this.stopped = true;
    this.parts.claims?.close();
    this.release(this.lanes.clear());
  }

  /** Sends every delete, and gives back what is still held. */
  async close(): Promise<void> {
    this.stop();
    await this.deletions.close();
    const held = this.leases.all().filter(({ state }) => state === 'handed');
    this.release(held.reverse());
    await this.releases.flush();
    this.leases.stop();
  }

  private admitAll(queue: ConsumedQueue, messages: readonly ReceivedMessage[], askedAt: number): Held[] {
    const hiddenUntil = askedAt + this.parts.visibilitySeconds * 1000;
    return messages.flatMap((received) => this.admit(queue, received, hiddenUntil) ?? []);
  }

  /** A message that is not held yet; one that came again only renews its lease, and is deleted where it is settled. */
  private admit(queue: ConsumedQueue, received: ReceivedMessage, hiddenUntil: number): Held | undefined {
    const { id, handle, group } = received;
    const known = this.leases.find(queue.url, id);
    if (known !== undefined) {
      known.handle = handle;
      known.hiddenUntil = hiddenUntil;
      return undefined;
    }
    const body = Buffer.from(received.body);
    const message: Held = {
      id,
      handle,
      queueUrl: queue.url,
      lane: isFifo(queue.url) && group !== undefined ? `${queue.url} ${group}` : undefined,
      hiddenUntil,
      body,
      bytes: body.length,
      origin: queue.origin,
      sentAt: received.sentAt,
      receiveCount: received.receiveCount,
      state: 'waiting',
    };
    this.leases.hold(message);
    this.room.enter(message.bytes);
    if (!this.settled.has(settledKey(message))) return message;
    this.discard(message);
    return undefined;
  }

  private handOver(): void {
    for (let next = this.lanes.peek(); next !== undefined; next = this.lanes.peek()) {
      if (this.stopped) return;
      if (next.hiddenUntil < Date.now()) {
        this.letGo(next);
        continue;
      }
      if (!this.room.handOver(next.bytes)) return;
      this.lanes.take();
      next.state = 'handed';
      const { claims } = this.parts;
      if (claims !== undefined && isClaim(next.body)) void this.redeem(next, claims);
      else this.parts.onMessage(this.wrap(next));
    }
  }

  /** Its lease ran out while it waited for its turn: others may work on it by now. */
  private letGo(message: Held): void {
    this.lanes.take();
    for (const each of [message, ...this.lanes.cut(message)]) this.withdraw(each);
  }

  /** Fetches what the message stands for. Its slot and its place in its lane are taken meanwhile. */
  private async redeem(message: Held, claims: ClaimChecks): Promise<void> {
    const result = await claims.redeem(message.body, message.receiveCount);
    if (message.state !== 'handed') return;
    this.apply(message, result);
  }

  private apply(message: Held, result: ClaimResult): void {
    if (result.kind === 'later') {
      this.giveBack(message, result.afterSeconds);
      return;
    }
    if (result.kind === 'fetched') this.replaceBody(message, result.body);
    else if (result.kind === 'flawed') message.flaw = result.error;
    this.parts.onMessage(this.wrap(message));
  }

  private replaceBody(message: Held, body: Buffer): void {
    this.room.resize(message.bytes, body.length);
    message.body = body;
    message.bytes = body.length;
  }

  private wrap(message: Held): SourceMessage {
    return new SqsMessage(message, (settlement) => this.settle(message, settlement));
  }

  private settle(message: Held, settlement: Settlement): void {
    if (message.state !== 'handed') return;
    if (settlement === 'release') return this.giveBack(message, 0);
    this.settled.set(settledKey(message), true);
    this.discard(message);
    this.lanes.advance(message);
    this.handOver();
    this.parts.onRoom();
  }

  /** A handed-over message is settled, or one that came again was so before: it is deleted. */
  private discard(message: Held): void {
    this.leaveRoom(message);
    message.state = 'settled';
    message.body = NOTHING;
    this.deletions.add(message);
  }

  private giveBack(message: Held, afterSeconds: number): void {
    const followers = this.lanes.cut(message);
    // The last first: an emulator puts each before the others, and to SQS itself it is all the same.
    this.release(followers.reverse());
    if (afterSeconds === 0) this.release([message]);
    else void this.postpone(message, afterSeconds);
    this.parts.onRoom();
  }

  private release(messages: readonly Held[]): void {
    for (const message of messages) {
      this.withdraw(message);
      this.releases.add(message);
    }
  }

  private async postpone(message: Held, afterSeconds: number): Promise<void> {
    const { api, onError } = this.parts;
    this.withdraw(message);
    try {
      await api.setVisibility(message.queueUrl, [message.handle], afterSeconds);
    } catch (error) {
      // It comes again when its lease is over.
      onError(error, message.queueUrl);
    }
  }

  /** Not ours any more. */
  private withdraw(message: Held): void {
    if (message.state === 'settled') return;
    this.leaveRoom(message);
    message.state = 'settled';
    this.leases.forget(message);
  }

  private leaveRoom(message: Held): void {
    this.room.leave(message.bytes, message.state === 'handed');
  }

  /** What cannot be given back comes again by itself when its lease is over. */
  private async sendReleases(queueUrl: string, messages: readonly Held[]): Promise<void> {
    const handles = messages.map(({ handle }) => handle);
    try {
      await this.parts.api.setVisibility(queueUrl, handles, 0);
    } catch (error) {
      this.parts.onError(error, queueUrl);
    }
  }
}

function settledKey({ queueUrl, id }: Held): string {
  return `${queueUrl} ${id}`;
}

class SqsMessage implements SourceMessage {
  readonly body: Buffer;
  readonly origin: Origin;
  readonly publishedAt: number | undefined;
  readonly flaw?: MalformedEventError;
  /** A message that comes again while it is held, or was settled, is recognised here by its id (`take`). */
  readonly redelivered = false;
  readonly isLost = false;

  constructor(
    message: Held,
    readonly settle: (settlement: Settlement) => void,
  ) {
    this.body = message.body;
    this.origin = message.origin;
    this.publishedAt = message.sentAt;
    if (message.flaw !== undefined) this.flaw = message.flaw;
  }
}
