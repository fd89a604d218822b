import { LRUCache } from 'lru-cache';
import type { Settlement, SourceMessage } from '../../pipeline/message';
import { monotonicMs } from '../../time/monotonic';
import { Unnested } from '../../time/unnested';
import type { ReceivedMessage, SqsApi } from './api';
import { Batches } from './batches';
import type { Claim } from './claim-check';
import type { ClaimDesk, ClaimResult } from './claim-desk';
import { Deletions } from './deletions';
import { type Held, heldOf, SqsMessage } from './held-message';
import type { IntakeBudget } from './intake-budget';
import { Leases } from './leases';
import { MessageGroups } from './message-groups';
import type { ConsumedQueue } from './queue-names';

export interface InboxParts {
  readonly api: SqsApi;
  readonly budget: IntakeBudget;
  readonly maxMessages: number;
  readonly visibilitySeconds: number;
  /** Undefined: what refers to S3 is handed over as it is. */
  readonly claims: ClaimDesk | undefined;
  readonly onMessage: (message: SourceMessage) => void;
  /** There may be room for more. */
  readonly onRoom: () => void;
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
  private readonly groups = new MessageGroups<Held>();
  private readonly handingOver = new Unnested();
  private readonly leases: Leases<Held>;
  private readonly deletions: Deletions<Held>;
  private readonly releases: Batches<Held>;
  private readonly settled = new LRUCache<string, true>({ max: SETTLED_MEMORY });
  private stopped = false;

  constructor(private readonly parts: InboxParts) {
    const { api, visibilitySeconds } = parts;
    this.leases = new Leases({ api, visibilitySeconds });
    this.deletions = new Deletions({
      api,
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

  /** What is held and not settled. */
  get held(): { readonly messages: number; readonly bytes: number } {
    const { budget, claims } = this.parts;
    return { messages: budget.messages + (claims?.count ?? 0), bytes: budget.bytes };
  }

  /** Messages that may be asked for now. */
  get free(): number {
    const undeleted = this.leases.count - this.held.messages;
    return undeleted > this.parts.maxMessages * DELETE_BACKLOG ? 0 : this.parts.budget.free;
  }

  receive(queue: ConsumedQueue, messages: readonly ReceivedMessage[], askedAt: number): void {
    if (this.stopped) return this.refuse(queue, messages, askedAt);
    for (const message of this.admitAll(queue, messages, askedAt)) this.groups.add(message);
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
    const fetching = this.leases.all().filter(({ state }) => state === 'fetching');
    this.release([...this.groups.clear(), ...fetching]);
  }

  /** Sends every delete, and gives back what is still held. */
  async close(): Promise<void> {
    this.stop();
    await this.deletions.close();
    const held = this.leases.all().filter(({ state }) => state === 'handed');
    this.release(held.reverse());
    await this.releases.flush();
    this.end();
  }

  /** Extends no lease any more. */
  end(): void {
    this.leases.stop();
  }

  private admitAll(queue: ConsumedQueue, messages: readonly ReceivedMessage[], askedAt: number): Held[] {
    const hiddenUntil = askedAt + this.parts.visibilitySeconds * 1000;
    return messages.flatMap((received) => this.admit(queue, received, hiddenUntil) ?? []);
  }

  /** A message that is not held yet; one that came again only renews its lease, and is deleted where it is settled. */
  private admit(queue: ConsumedQueue, received: ReceivedMessage, hiddenUntil: number): Held | undefined {
    const { id, handle } = received;
    const known = this.leases.find(queue.url, id);
    if (known !== undefined) {
      known.handle = handle;
      known.hiddenUntil = hiddenUntil;
      return undefined;
    }
    const claims = this.parts.claims !== undefined;
    const message = heldOf(queue, received, { hiddenUntil, claims });
    this.leases.hold(message);
    this.parts.budget.enter(message.bytes);
    if (!this.settled.has(settledKey(message))) return message;
    this.discard(message);
    return undefined;
  }

  private handOver(): void {
    this.handingOver.run(() => this.handOverAll());
  }

  /** What nobody wants is settled as soon as it is handed over. */
  private handOverAll(): void {
    const { budget, claims } = this.parts;
    for (let next = this.groups.peek(); next !== undefined; next = this.groups.peek()) {
      if (this.stopped) return;
      if (next.hiddenUntil < monotonicMs()) {
        this.groups.take();
        this.letGo(next);
      } else if (next.claim !== undefined && claims !== undefined) {
        this.groups.take();
        void this.redeem(next, next.claim, claims);
      } else if (budget.handOver(next.bytes)) {
        this.groups.take();
        next.state = 'handed';
        this.parts.onMessage(this.wrap(next));
      } else return;
    }
  }

  /** Its lease ran out before it was handed over: others may work on it by now. */
  private letGo(message: Held): void {
    for (const each of [message, ...this.groups.cut(message)]) this.withdraw(each);
  }

  /** Fetches what the message stands for. It keeps its place in its group meanwhile, and takes no slot. */
  private async redeem(message: Held, claim: Claim, claims: ClaimDesk): Promise<void> {
    this.parts.budget.leave(message.bytes, false);
    message.state = 'fetching';
    const { queueUrl, receiveCount, sentAt } = message;
    const ageMs = sentAt === undefined ? undefined : Date.now() - sentAt;
    this.apply(message, await claims.redeem({ claim, queueUrl, receiveCount, ageMs }));
  }

  private apply(message: Held, result: ClaimResult): void {
    // It may have gone back meanwhile.
    const isHeld = message.state === 'fetching';
    if (result.kind === 'later') {
      if (isHeld) this.giveBack(message, result.afterSeconds);
      return;
    }
    message.releaseClaim = result.release;
    if (!isHeld) return this.leaveRoom(message);
    if (message.hiddenUntil < monotonicMs()) return this.letGo(message);
    if (result.kind === 'fetched') message.body = result.body;
    else message.flaw = result.error;
    message.state = 'handed';
    this.parts.onMessage(this.wrap(message));
  }

  private wrap(message: Held): SourceMessage {
    return new SqsMessage(message, (settlement) => this.settle(message, settlement));
  }

  private settle(message: Held, settlement: Settlement): void {
    if (message.state !== 'handed') return;
    if (settlement === 'release') return this.giveBack(message, 0);
    this.settled.set(settledKey(message), true);
    this.discard(message);
    this.groups.advance(message);
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
    const followers = this.groups.cut(message);
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
    this.withdraw(message);
    try {
      await this.parts.api.setVisibility(message.queueUrl, [message.handle], afterSeconds);
    } catch {
      // The API reports it; the message comes again when its lease is over.
    }
  }

  /** Not ours any more. */
  private withdraw(message: Held): void {
    if (message.state === 'settled') return;
    this.leaveRoom(message);
    message.state = 'settled';
    this.leases.forget(message);
  }

  /** A claim left its slot when its file was asked for, and gives back what it took since. */
  private leaveRoom(message: Held): void {
    const { budget, claims } = this.parts;
    if (message.releaseClaim !== undefined) {
      message.releaseClaim();
      message.releaseClaim = undefined;
    } else if (message.state !== 'fetching') budget.leave(message.bytes, message.state === 'handed');
    claims?.roomChanged();
  }

  private async sendReleases(queueUrl: string, messages: readonly Held[]): Promise<void> {
    const handles = messages.map(({ handle }) => handle);
    try {
      await this.parts.api.setVisibility(queueUrl, handles, 0);
    } catch {
      // The API reports it; what cannot be given back comes again by itself when its lease is over.
    }
  }
}

function settledKey({ queueUrl, id }: Held): string {
  return `${queueUrl} ${id}`;
}
