import type { StreamKeys } from '../../destinations/websocket/stream';
import { endsWithin } from '../../time/within';
import type { Backlog } from './backlog';
import { type ChannelClient, Follower } from './follower';
import { PatientReader, type PatientReaderParts } from './patient-reader';
import { compareIds, type StreamId } from './stream-id';
import type { StreamMessage } from './stream-message';
import type { Gap, Page } from './stream-reader';

export interface ChannelParts extends PatientReaderParts {
  readonly createBacklog: () => Backlog;
  /** Its clients may leave this many more bytes unread from now on. */
  readonly onSent: (channel: Channel, bytes: number) => void;
  /** Nobody follows it any more. */
  readonly onEmpty: () => void;
}

/**
 * `opening`: it finds out where its stream ends. `filling`: it may have missed something, and reads the stream instead of
 * handing on what it hears. `live`: what is published follows what it handed on last. `closed`: nobody follows it.
 */
export type ChannelState = 'opening' | 'filling' | 'live' | 'closed';

/** Clients that do not take what was filled in within this time go on by themselves. */
const PACE_MS = 2000;

/**
 * The followers of one stream. What is published is handed on as it comes, as long as each message says that it follows
 * the one before it. Where one does not, or may be missing, the stream is read from the last one on, for all followers
 * together; where it no longer has everything, they receive a notice of the gap.
 */
export class Channel {
  private current: ChannelState = 'opening';
  private readonly followers = new Set<Follower>();
  private readonly live = new Set<Follower>();
  /** Clients on their way in. */
  private expected = 0;
  private position: StreamId = '';
  /** Which stream it is. */
  private born = '';
  /** Messages that were heard while it filled, in the order in which they came. */
  private readonly heard: Backlog;
  private newestHeard: StreamMessage | undefined;
  /** What was handed on lately, while followers catch up. */
  private readonly recent: Backlog;
  private catchingUp = 0;
  /** The subscription may be another one now. */
  private mustSubscribe = true;
  private filling: Promise<void> | undefined;
  private isReading = false;

  private readonly reader: PatientReader;

  constructor(private readonly parts: ChannelParts) {
    this.reader = new PatientReader(parts);
    this.heard = parts.createBacklog();
    this.recent = parts.createBacklog();
  }

  get state(): ChannelState {
    return this.current;
  }

  get keys(): StreamKeys {
    return this.parts.keys;
  }

  /** Of the last message handed on. */
  get end(): StreamId {
    return this.position;
  }

  get all(): ReadonlySet<Follower> {
    return this.followers;
  }

  /** Resolves to the position from which on nothing will be missed; call `join` or `leave` after it. */
  async open(): Promise<StreamId> {
    this.expected++;
    if (this.current === 'opening') this.fill();
    await this.filling;
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
    const follower: Follower = new Follower({
      client,
      read: (from) => this.reader.page(from),
      meet: (met, page) => this.meet(met, page),
      onSent: (bytes) => this.parts.onSent(this, bytes),
    });
    this.followers.add(follower);
    if (this.current === 'live' && position === this.position) this.goLive(follower);
    else this.catchUp(follower, position);
    return () => {
      follower.leave();
      this.followers.delete(follower);
      this.live.delete(follower);
      this.closeIfEmpty();
    };
  }

  /** A message that was just published. */
  take(message: StreamMessage): void {
    if (this.current === 'live' && message.previous === this.position && message.born === this.born) {
      this.handOn(message);
    } else if (this.current === 'live' || this.current === 'filling') this.takeUnexpected(message);
  }

  /** Messages may have been missed: looks whether there are any, and is followed again by the subscription. */
  recover(): void {
    this.mustSubscribe = true;
    if (this.current === 'live') this.fill();
  }

  close(): void {
    this.become('closed');
    this.reader.close();
    for (const follower of this.followers) follower.leave();
    this.heard.clear();
    this.recent.clear();
  }

  private takeUnexpected(message: StreamMessage): void {
    if (this.born === '' && this.current === 'live' && message.previous === this.position) {
      // The first of a stream that nothing was known of.
      this.born = message.born ?? '';
      return this.handOn(message);
    }
    // It was read from the stream before it was heard.
    if (this.isOld(message)) return;
    this.newestHeard = message;
    this.heard.add(message);
    if (this.current === 'live') this.fill();
  }

  private isOld({ id, born }: StreamMessage): boolean {
    return (born === undefined || born === this.born) && compareIds(id, this.position) <= 0;
  }

  private fill(): void {
    if (this.current === 'live') this.become('filling');
    if (this.isReading) return;
    this.filling = this.readOn();
    this.observe(this.filling);
  }

  private async readOn(): Promise<void> {
    this.isReading = true;
    while (this.current === 'opening' || this.current === 'filling') await this.readPage();
    this.isReading = false;
  }

  /** Hands on what the stream has after the position; live once what is heard follows it. */
  private async readPage(): Promise<void> {
    await this.subscribe();
    if (this.current === 'opening') await this.findEnd();
    // What was heard until now is in the stream, and is read.
    this.heard.clear();
    this.newestHeard = undefined;
    const page = await this.reader.page(this.position);
    if (page === undefined) return;
    this.handOnPage(page);
    await this.pace();
    if (!page.isMore && this.joinWhatIsHeard()) this.become('live');
  }

  /** False where something may be missing still. */
  private joinWhatIsHeard(): boolean {
    for (const message of this.heard.after(this.position)) this.handOn(message);
    this.heard.clear();
    const { newestHeard } = this;
    return !this.mustSubscribe && (newestHeard === undefined || this.isOld(newestHeard));
  }

  private async subscribe(): Promise<void> {
    while (this.mustSubscribe && !this.isClosed) {
      this.mustSubscribe = false;
      await this.reader.subscribe();
    }
  }

  private async findEnd(): Promise<void> {
    const end = await this.reader.end();
    if (end === undefined) return;
    this.position = end.position;
    this.born = end.born ?? '';
    this.become('filling');
  }

  private handOnPage({ born, gap, messages }: Page): void {
    this.born = born;
    if (gap !== undefined) this.declare(gap);
    for (const message of messages) this.handOn(message);
  }

  private declare(gap: Gap): void {
    this.position = gap.resumedAfter;
    this.recent.clear();
    for (const { client } of this.live)
      client.notify({ event: 'relay.gap', id: gap.resumedAfter, data: gap });
  }

  private handOn(message: StreamMessage): void {
    this.position = message.id;
    if (this.catchingUp > 0) this.recent.add(message);
    for (const { client } of this.live) client.send(message);
    this.parts.onSent(this, message.bytes);
  }

  /** What is filled in comes as fast as Redis gives it: those that take longer go on by themselves. */
  private async pace(): Promise<void> {
    const full = [...this.live].filter(({ client }) => isHalfFull(client));
    if (full.length === 0) return;
    await endsWithin(Promise.all(full.map(({ client }) => client.flushed())), PACE_MS);
    for (const follower of full) {
      if (!this.live.has(follower) || !isHalfFull(follower.client)) continue;
      this.live.delete(follower);
      this.catchUp(follower, this.position);
    }
  }

  private catchUp(follower: Follower, position: StreamId): void {
    this.catchingUp++;
    const caughtUp = follower.catchUp(position).finally(() => {
      this.catchingUp--;
      if (this.catchingUp === 0) this.recent.clear();
    });
    this.observe(caughtUp);
  }

  private goLive(follower: Follower): void {
    follower.goLive(this.position);
    this.live.add(follower);
  }

  /** A follower that was sent what there is: it is live once it has what the channel has handed on meanwhile. */
  private async meet(follower: Follower, page: Page): Promise<void> {
    if (follower.state !== 'waiting') return;
    if (this.current === 'live') {
      for (const message of this.recent.after(follower.position)) follower.sendOwn(message);
      if (follower.position === this.position) return this.goLive(follower);
      // The follower read what the channel has not heard.
      const isAhead = compareIds(follower.position, this.position) > 0;
      if (isAhead || page.messages.length === 0) this.fill();
    }
    await this.filling;
  }

  private observe(work: Promise<void>): void {
    work.catch(this.parts.onError);
  }

  private get isClosed(): boolean {
    return this.current === 'closed';
  }

  private become(state: ChannelState): void {
    if (!this.isClosed) this.current = state;
  }

  private closeIfEmpty(): void {
    if (this.followers.size > 0 || this.expected > 0 || this.isClosed) return;
    this.close();
    this.parts.onEmpty();
  }
}

/** Of what a live client may leave unread. */
function isHalfFull({ unreadBytes, bufferBytes }: ChannelClient): boolean {
  return unreadBytes > bufferBytes / 2;
}
