import type { Subscriptions } from '../../../redis/subscriber';
import type { AppName, AppState, OccupancyStore } from './occupancy-store';

/** Asks Pusher which channels of an app are occupied, those with our prefix. */
export type AskPusher = () => Promise<readonly string[]>;

export interface OccupancyViewParts {
  readonly store: OccupancyStore;
  readonly subscriber: Subscriptions;
  readonly checkMs: number;
  readonly onError: (error: unknown) => void;
}

/** After this long without any webhook they may have been switched off. */
const TRUST_WEBHOOKS_MS = 7 * 86_400_000;
/** An answer of Pusher counts for so many intervals. */
const FRESH_INTERVALS = 2.5;
/** Apps that nothing was sent to for so many intervals are not asked about. */
const IDLE_INTERVALS = 10;
const MAX_TRIES = 3;

interface Watched {
  readonly ask: AskPusher;
  occupied: Set<string>;
  checkedAt: number;
  toldAt: number;
  usedAt: number;
  /** Counts what was heard, to notice what came while reading. */
  heard: number;
}

/**
 * One worker's copy of which channels are occupied, without a look at Redis for each event. When in doubt a channel
 * counts as occupied: until Pusher has answered, when its last answer is old, while Redis is away, and where no webhook
 * has ever told of a channel.
 */
export class OccupancyView {
  private readonly apps = new Map<AppName, Watched>();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly parts: OccupancyViewParts) {}

  start(): void {
    const { subscriber, store, checkMs } = this.parts;
    subscriber.onMessage((channel, message) => {
      if (channel === store.channel) this.hear(message.toString());
    });
    subscriber.onRecovered(() => this.refreshAll());
    this.timer ??= setInterval(() => this.refreshAll(), checkMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.working;
  }

  isVacant(app: AppName, ask: AskPusher, channel: string): boolean {
    const now = Date.now();
    const watched = this.apps.get(app);
    if (watched === undefined) {
      this.watch(app, ask, now);
      return false;
    }
    watched.usedAt = now;
    return !watched.occupied.has(channel) && this.isCertain(watched, now);
  }

  private isCertain({ checkedAt, toldAt }: Watched, now: number): boolean {
    const { subscriber, checkMs } = this.parts;
    if (!subscriber.isUp) return false;
    return now - checkedAt < checkMs * FRESH_INTERVALS && now - toldAt < TRUST_WEBHOOKS_MS;
  }

  private watch(app: AppName, ask: AskPusher, usedAt: number): void {
    this.apps.set(app, { ask, occupied: new Set(), checkedAt: 0, toldAt: 0, usedAt, heard: 0 });
    this.enqueue(() => this.refresh(app));
  }

  private refreshAll(): void {
    const { subscriber, store, checkMs } = this.parts;
    const now = Date.now();
    this.enqueue(async () => {
      await subscriber.subscribe(store.channel);
      for (const [app, { usedAt }] of this.apps) {
        if (now - usedAt > checkMs * IDLE_INTERVALS) this.apps.delete(app);
        else await this.refresh(app);
      }
    });
  }

  /** One after the other: thousands of apps must not all be asked at once. */
  private enqueue(work: () => Promise<void>): void {
    this.working = this.working.then(work).catch(this.parts.onError);
  }

  private async refresh(app: AppName): Promise<void> {
    const watched = this.apps.get(app);
    if (watched === undefined) return;
    const { store, checkMs, onError } = this.parts;
    // Most of the interval: whoever comes first in the next one asks.
    if (await store.takeTurn(app, checkMs * 0.8)) await this.correct(app, watched).catch(onError);
    await this.load(app, watched);
  }

  private async correct(app: AppName, { ask }: Watched): Promise<void> {
    const { store } = this.parts;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { version } = await store.read(app);
      if (await store.correct(app, version, await ask())) return;
    }
  }

  private async load(app: AppName, watched: Watched): Promise<void> {
    let state: AppState;
    let heard: number;
    do {
      heard = watched.heard;
      state = await this.parts.store.read(app);
    } while (heard !== watched.heard);
    watched.occupied = new Set(state.occupied);
    watched.checkedAt = state.checkedAt;
    watched.toldAt = state.toldAt;
  }

  private hear(message: string): void {
    const [app = '', what, channel = ''] = message.split(' ');
    const watched = this.apps.get(app as AppName);
    if (watched === undefined) return;
    watched.heard++;
    if (what === 'occupied') watched.occupied.add(channel);
    else if (what === 'vacated') watched.occupied.delete(channel);
    else this.enqueue(() => this.load(app as AppName, watched));
    if (what !== 'corrected') watched.toldAt = Date.now();
  }
}
