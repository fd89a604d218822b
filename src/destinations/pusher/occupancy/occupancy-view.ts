import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import type { Subscriptions } from '../../../redis/subscriber';
import { monotonicMs } from '../../../time/monotonic';
import { type AppName, type AppState, KEPT_MS, MAX_CHANNELS, type OccupancyStore } from './occupancy-store';

/** Asks Pusher which channels of an app are occupied, those with our prefix. */
export type AskPusher = () => Promise<readonly string[]>;

export interface OccupancyViewParts {
  readonly store: OccupancyStore;
  readonly subscriber: Subscriptions;
  readonly checkMs: number;
  readonly onError: (error: unknown) => void;
}

/** After this long without any webhook they may have been switched off. */
const TRUST_WEBHOOKS_MS = KEPT_MS;
/** An answer of Pusher counts for this many intervals. */
const FRESH_INTERVALS = 2.5;
/** Apps that nothing was sent to for this many intervals are not asked about. */
const IDLE_INTERVALS = 10;
const MAX_TRIES = 3;
/** Apps that are asked about at once; those that did not answer the last time have places of their own. */
const ASKED_AT_ONCE = 32;
const FAILING_AT_ONCE = 4;
const LONGEST_PAUSE_MS = 600_000;
/** Apps and channels that are kept here; whatever is beyond is always sent. */
const MAX_APPS = 10_000;
const MAX_CHANNELS_IN_ALL = 500_000;

interface Watched {
  readonly ask: AskPusher;
  readonly maxChannels: number;
  occupied: Set<string>;
  /** By the monotonic clock: until when the last answer of Pusher, and the webhooks, count. */
  checkedUntil: number;
  toldUntil: number;
  usedAt: number;
  /** Of the last webhook that is accounted for, and how many messages were heard, to notice those that come while reading. */
  version: number;
  heard: number;
  /** Times in a row that Pusher did not answer, and when it is asked again. */
  failures: number;
  askAfter: number;
  /** Pusher is being asked, or is about to be. */
  refreshing: Promise<void> | undefined;
}

/** How an app is asked about, and how many of its channels are kept. */
export interface WatchedApp {
  readonly name: AppName;
  readonly ask: AskPusher;
  readonly maxChannels?: number;
}

/**
 * One worker's copy of which channels are occupied, without a look at Redis for each event. When in doubt a channel
 * counts as occupied: until Pusher has answered, when its last answer is old, while Redis is away, after a message about
 * a change was missed, where an app has too many channels, and where no webhook has ever told of a channel.
 */
export class OccupancyView {
  private readonly apps = new Map<AppName, Watched>();
  private channels = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly asks = bulkhead(ASKED_AT_ONCE, MAX_APPS);
  private readonly failingAsks = bulkhead(FAILING_AT_ONCE, MAX_APPS);

  constructor(private readonly parts: OccupancyViewParts) {}

  start(): void {
    const { subscriber, store, checkMs } = this.parts;
    subscriber.onMessage((channel, message) => {
      if (channel === store.channel) this.hear(message.toString());
    });
    subscriber.onRecovered(() => this.recover());
    this.timer ??= setInterval(() => this.refreshAll(), checkMs);
  }

  /** What is asked of Pusher ends with its own time limit. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.apps.values()].map(({ refreshing }) => refreshing));
  }

  /** False where that is not certain. */
  isVacant(app: WatchedApp, channel: string): boolean {
    const watched = this.apps.get(app.name);
    if (watched === undefined) {
      this.watch(app);
      return false;
    }
    const now = monotonicMs();
    watched.usedAt = now;
    return (
      !watched.occupied.has(channel) &&
      now < watched.checkedUntil &&
      now < watched.toldUntil &&
      this.parts.subscriber.isUp
    );
  }

  private watch({ name, ask, maxChannels = MAX_CHANNELS.own }: WatchedApp): void {
    if (this.apps.size >= MAX_APPS) return;
    this.apps.set(name, {
      ask,
      maxChannels,
      occupied: new Set(),
      checkedUntil: 0,
      toldUntil: 0,
      usedAt: monotonicMs(),
      version: 0,
      heard: 0,
      failures: 0,
      askAfter: 0,
      refreshing: undefined,
    });
    this.refresh(name);
  }

  /** Changes may have been missed: nothing is certain until it was read anew. */
  private recover(): void {
    const { subscriber, store, onError } = this.parts;
    subscriber.subscribe(store.channel).catch(onError);
    for (const watched of this.apps.values()) doubt(watched);
    for (const [name, watched] of this.apps) this.load(name, watched);
    this.refreshAll();
  }

  private refreshAll(): void {
    const idleSince = monotonicMs() - this.parts.checkMs * IDLE_INTERVALS;
    for (const [name, watched] of this.apps) {
      if (watched.usedAt < idleSince) this.forget(name, watched);
      else this.refresh(name);
    }
  }

  private forget(name: AppName, watched: Watched): void {
    this.channels -= watched.occupied.size;
    this.apps.delete(name);
  }

  /** Asks Pusher where it is this process's turn. Apps do not wait for each other, unless very many are asked. */
  private refresh(name: AppName): void {
    const watched = this.apps.get(name);
    if (watched === undefined || watched.refreshing !== undefined) return;
    const asked = monotonicMs() < watched.askAfter ? Promise.resolve() : this.askInTurn(name, watched);
    watched.refreshing = asked.catch(this.parts.onError).then(() => {
      watched.refreshing = undefined;
      this.load(name, watched);
    });
  }

  private askInTurn(name: AppName, watched: Watched): Promise<void> {
    return this.placesFor(watched).execute(() => this.ask(name, watched));
  }

  private placesFor({ failures }: Watched): BulkheadPolicy {
    return failures === 0 ? this.asks : this.failingAsks;
  }

  private async ask(name: AppName, watched: Watched): Promise<void> {
    const { store, checkMs, onError } = this.parts;
    // Most of the interval: in the next one the first worker asks.
    if (!(await store.takeTurn(name, checkMs * 0.8))) return;
    try {
      await this.correct(name, watched);
      watched.failures = 0;
    } catch (error) {
      watched.failures++;
      watched.askAfter =
        monotonicMs() + Math.min(LONGEST_PAUSE_MS, checkMs * 2 ** (watched.failures - 1) * 0.9);
      onError(error);
    }
  }

  private async correct(name: AppName, { ask, maxChannels }: Watched): Promise<void> {
    const { store } = this.parts;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await store.read(name);
      if (await store.correct(name, before, await ask(), maxChannels)) return;
    }
  }

  private load(name: AppName, watched: Watched): void {
    this.read(name, watched).catch(this.parts.onError);
  }

  /** Takes what Redis knows, once nothing was heard while it was read. */
  private async read(name: AppName, watched: Watched): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { heard } = watched;
      const state = await this.parts.store.read(name);
      if (this.apps.get(name) !== watched) return;
      if (watched.heard === heard) return this.take(watched, state);
    }
    doubt(watched);
  }

  private take(watched: Watched, { occupied, checkedAt, toldAt, now, isFull, version }: AppState): void {
    this.channels += occupied.length - watched.occupied.size;
    watched.version = version;
    const isTooMuch = isFull || this.channels > MAX_CHANNELS_IN_ALL;
    if (isTooMuch) {
      this.channels -= occupied.length;
      watched.occupied = new Set();
      return doubt(watched);
    }
    watched.occupied = new Set(occupied);
    const freshMs = this.parts.checkMs * FRESH_INTERVALS;
    watched.checkedUntil = endOf(freshMs, now - checkedAt);
    watched.toldUntil = endOf(TRUST_WEBHOOKS_MS, now - toldAt);
  }

  private hear(message: string): void {
    const [name = '', what, channel = '', text] = message.split(' ');
    const watched = this.apps.get(name as AppName);
    if (watched === undefined) return;
    watched.heard++;
    const version = Number(text);
    if (what === 'occupied') this.occupy(watched, channel);
    if (what === 'corrected') return this.load(name as AppName, watched);
    // It was accounted for already.
    if (version <= watched.version) return;
    if (version !== watched.version + 1) {
      // Others were missed, or it comes of a worker of an earlier version.
      doubt(watched);
      return this.load(name as AppName, watched);
    }
    watched.version = version;
    watched.toldUntil = monotonicMs() + TRUST_WEBHOOKS_MS;
    if (what === 'vacated' && watched.occupied.delete(channel)) this.channels--;
  }

  private occupy({ occupied }: Watched, channel: string): void {
    const before = occupied.size;
    occupied.add(channel);
    this.channels += occupied.size - before;
  }
}

/** Until it is known again everything is sent. */
function doubt(watched: Watched): void {
  watched.checkedUntil = 0;
}

/** When what is so old no longer counts; what seems to come from the future never does. */
function endOf(countsMs: number, ageMs: number): number {
  return ageMs < 0 ? 0 : monotonicMs() + countsMs - ageMs;
}
