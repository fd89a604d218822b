import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/processes/ports';
import type { Ending } from './ending';
import type { Stage } from './progress';
import type { Publications } from './publications';
import { type Behaviour, Receiver } from './receiver';
import { RelayMetrics } from './relay-metrics';
import { RelayProcess } from './relay-process';
import { removeKeys } from './traces';
import type { Wire } from './wire';

export const BEHAVIOURS: readonly Behaviour[] = [
  { name: 'good', story: 'answers 200' },
  { name: 'flaky', story: 'answers 503 to every fifth request', failsEvery: 5 },
  { name: 'late', story: 'is down, its port closed, for the first 5 seconds', opensAfterMs: 5_000 },
];

const LOOK_EVERY_MS = 200;
/** Much longer than any of the shortened delays: what has not moved for so long will not. */
const PATIENCE_MS = 20_000;

/** A relay, and the receiver that is its global webhook. */
export class Lane {
  metrics = new RelayMetrics('');

  constructor(
    readonly receiver: Receiver,
    readonly relay: RelayProcess,
  ) {}

  get stage(): Stage {
    const { name, delivered, isOpen, refused } = this.receiver;
    const { parked } = this.metrics;
    const notes = [isOpen ? '' : 'port closed', refused && `503 × ${refused}`, parked && `parked ${parked}`];
    return { name, count: delivered, note: notes.filter(Boolean).join(', ') };
  }

  /** Watches until each of so many events is delivered, or dead, or nothing moves any more. */
  async finish(events: number, signal: AbortSignal): Promise<void> {
    let [seen, seenAt] = [0, Date.now()];
    while (this.ended < events && Date.now() - seenAt < PATIENCE_MS) {
      await delay(LOOK_EVERY_MS, undefined, { signal });
      this.metrics = await this.relay.metrics();
      if (this.ended !== seen) [seen, seenAt] = [this.ended, Date.now()];
    }
  }

  /** For both: the receiver counts no event twice, and the relay counts only what it knows to be delivered. */
  private get ended(): number {
    return Math.min(this.metrics.ended, this.receiver.delivered + this.metrics.dead);
  }
}

export interface LaneOptions {
  readonly wire: Wire;
  readonly redisUri: string;
  /** The beginning of every relay's name, which its queue and its prefix in Redis have. */
  readonly run: string;
  readonly publications: Publications;
  readonly ending: Ending;
}

/** Queue and prefix of the relay whose settings change while it runs. */
export function liveName(run: string): string {
  return `${run}-live`;
}

/** One lane for each behaviour: every receiver is to get every event. */
export async function startLanes({
  wire,
  redisUri,
  run,
  publications,
  ending,
}: LaneOptions): Promise<Lane[]> {
  const nameOf = ({ name }: { name: string }): string => `${run}-${name}`;
  const names = [...BEHAVIOURS.map(nameOf), liveName(run)];
  ending.add('removing the queues', () => wire.remove(names));
  ending.add('removing the keys in Redis', () => removeKeys(redisUri, run));
  await wire.prepare(names);
  const receivers: Receiver[] = [];
  for (const behaviour of BEHAVIOURS) {
    const receiver = new Receiver(behaviour, await freePort(), publications);
    receivers.push(receiver);
    ending.add('closing a receiver', () => receiver.close());
  }
  const relays: RelayProcess[] = [];
  ending.add('stopping the relays', () => Promise.all(relays.map((relay) => relay.stop())));
  const environmentFor = (receiver: Receiver): Record<string, string> => ({
    ...wire.environmentFor(nameOf(receiver)),
    REDIS_URI: redisUri,
    REDIS_PREFIX_KEY: nameOf(receiver),
    WEBHOOK_GLOBAL_URL: receiver.url,
  });
  return Promise.all(
    receivers.map(async (receiver) => {
      const options = { environment: environmentFor(receiver), signal: ending.signal };
      return new Lane(receiver, await RelayProcess.start(options, (relay) => relays.push(relay)));
    }),
  );
}
