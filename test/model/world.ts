import { globalId, instanceId } from '../../src/destinations/destination-ids';
import { type EventId, parseEnvelope } from '../../src/events/envelope';
import { type DeliveryId, type DestinationId, deliveryId, destinationKey } from '../../src/pipeline/delivery';
import { MemoryBroker } from './broker';
import { LIMITS } from './limits';
import { Receiver } from './receivers';
import { ModelRedis, type RedisMode } from './redis';
import { ModelSettings, type SettingsEditor } from './settings';
import { VirtualTime } from './virtual-time';
import { ModelWorker } from './worker';

/** `well` is never sick; `late` has no settings at first. */
export const INSTANCES = ['sick', 'well', 'late'] as const;
export type Instance = (typeof INSTANCES)[number];

/** An event that was published, and what the run allows of it. */
export interface Published {
  readonly id: EventId;
  readonly instance: Instance;
  readonly at: number;
  /** Where it must have come in the end. */
  due: readonly DeliveryId[];
  /** Something happened meanwhile for which a delivery may be made twice. */
  mayRepeat: boolean;
  /** It may have been in what a flush took. */
  mayBeLost: boolean;
}

/** How long settings may take until they are in force, with everything up. */
const IN_FORCE_MS = 3000;

/** Within this a process has got again what a lost channel held. */
const REDELIVERED_MS = 1000;

/** Everything outside the relay, and the relay's processes in it. */
export class World {
  readonly time = new VirtualTime();
  readonly broker = new MemoryBroker(this.time);
  readonly redis = new ModelRedis(this.time);
  readonly settings = new ModelSettings(this.redis);
  readonly global = globalId('webhook');
  readonly published: Published[] = [];
  /** The one that consumes. */
  main: ModelWorker;
  /** Makes retries only; there since the main one was first frozen. */
  second: ModelWorker | undefined;
  /** Since when nothing was wrong with any peer, and no process was away. */
  calmSince = 0;
  /** Something happened after which counts may be off: a process died without a drain, or Redis forgot. */
  mayMiscount = false;
  private readonly receivers = new Map<DestinationId, Receiver>();
  private readonly settingsChangedAt = new Map<Instance, number>();
  private workers = 0;

  constructor() {
    this.time.install();
    this.settings.stored.set('sick', 'one').set('well', 'one');
    this.main = this.startWorker(true);
  }

  receiverOf(id: DestinationId): Receiver {
    let receiver = this.receivers.get(id);
    if (receiver === undefined) {
      receiver = new Receiver(id, this.time);
      this.receivers.set(id, receiver);
    }
    return receiver;
  }

  get allReceivers(): Iterable<Receiver> {
    return this.receivers.values();
  }

  get livingWorkers(): readonly ModelWorker[] {
    return this.second === undefined ? [this.main] : [this.main, this.second];
  }

  startWorker(consumes: boolean): ModelWorker {
    const worker = new ModelWorker(this, `worker-${this.workers++}`, consumes);
    worker.start();
    return worker;
  }

  publish(instance: Instance, event: 'messages.upsert' | 'presence.update'): void {
    const number = this.published.length;
    const body = Buffer.from(JSON.stringify({ event, instance, data: { number, text: 'x'.repeat(120) } }));
    const { id } = parseEnvelope(body, { routingKey: '' });
    const own = this.ownIds(instance);
    const due = event === 'messages.upsert' ? [this.global, ...own] : own;
    const mayRepeat = this.main.process.state !== 'running';
    const at = this.time.now;
    const deliveries = due.map((destination) => deliveryId(id, destinationKey(destination)));
    this.published.push({ id, instance, at, due: deliveries, mayRepeat, mayBeLost: false });
    this.broker.publish(body);
  }

  change(instance: Instance, settings: SettingsEditor): void {
    this.settings.set(instance, settings);
    if (settings !== 'two') this.forgetSecond(instance);
    // What stands in for unreadable destinations is counted, and none of them.
    if (settings === 'unreadable') this.mayMiscount = true;
    this.settingsChangedAt.set(instance, this.time.now);
  }

  redisBecomes(mode: RedisMode): void {
    this.disturb();
    this.redis.become(mode);
  }

  /** What lay there is gone, and nobody can know it any more. */
  flush(): void {
    this.disturb();
    this.redis.state.flush();
    this.excuse();
    for (const event of this.published) event.mayBeLost = true;
  }

  /** The consuming process dies, its memory is gone, and another one is started. */
  crash(): void {
    this.disturb();
    this.excuse();
    this.main.process.die();
    this.main = this.startWorker(true);
  }

  /** SIGTERM, and another one is started. A drain that cannot write down what it did is an excuse. */
  async drain(): Promise<void> {
    this.thaw();
    // What a lost channel held comes again: to the next process, where this one ends before it does.
    const isComingAgain = this.time.now - this.broker.lostAt < REDELIVERED_MS;
    const isExcused = !this.isCalm || isComingAgain || this.broker.acknowledgementsToLose > 0;
    this.disturb();
    let isOver = false;
    void this.main.drain().then(() => {
      isOver = true;
    });
    await this.pass(2 * LIMITS.shutdownMs, () => isOver);
    if (!isOver) throw new Error('the drain did not end');
    if (isExcused) this.excuse();
    this.main = this.startWorker(true);
    this.disturb();
  }

  freeze(): void {
    this.disturb();
    this.excuse();
    this.second ??= this.startWorker(false);
    this.main.process.freeze();
  }

  thaw(): void {
    if (this.main.process.state !== 'frozen') return;
    this.disturb();
    this.excuse();
    this.main.process.thaw();
  }

  /** A person has the first dead letter delivered once more. */
  replay(): void {
    const [first] = this.redis.state.dead;
    if (first !== undefined && this.redis.answers) this.redis.state.run('relayReplay', [first.id]);
  }

  /** All that is wrong with peers and processes is mended. */
  heal(): void {
    this.thaw();
    if (this.redis.mode !== 'up') this.redisBecomes('up');
    if (this.broker.mode !== 'up') this.broker.become('up');
    this.broker.acknowledgementsToLose = 0;
    this.disturb();
  }

  ownId(instance: Instance): DestinationId {
    return instanceId('webhook', instance);
  }

  /** Something is wrong from now on, or was until now. */
  disturb(): void {
    this.calmSince = this.time.now;
  }

  /** What was published until now may come more than once. */
  excuse(): void {
    for (const event of this.published) event.mayRepeat = true;
    this.mayMiscount = true;
  }

  get isCalm(): boolean {
    const isUp = this.redis.mode === 'up' && this.broker.mode === 'up';
    return isUp && this.livingWorkers.every(({ process }) => process.state === 'running');
  }

  /** What is routed from now on does not come to the second destination, whenever it was published. */
  private forgetSecond(instance: Instance): void {
    const key = destinationKey(instanceId('webhook', instance, 'second'));
    for (const event of this.published)
      if (event.instance === instance) event.due = event.due.filter((id) => !id.endsWith(key));
  }

  isOwn(id: DeliveryId, instance: Instance): boolean {
    return id.endsWith(destinationKey(instanceId('webhook', instance)));
  }

  /** Those destinations of its own that an instance's event must come to: only what is in force for certain. */
  private ownIds(instance: Instance): DestinationId[] {
    const first = instanceId('webhook', instance);
    const changedAt = this.settingsChangedAt.get(instance) ?? 0;
    const isInForce = this.time.now - Math.max(changedAt, this.calmSince) >= IN_FORCE_MS && this.isCalm;
    const stored = this.settings.stored.get(instance);
    if (stored === 'two' && isInForce) return [first, instanceId('webhook', instance, 'second')];
    return stored !== undefined && (instance !== 'late' || isInForce) ? [first] : [];
  }

  /** Lets time pass; whatever is wrong meanwhile counts until its end. */
  async pass(ms: number, isEnough?: () => boolean): Promise<void> {
    if (!this.isCalm) this.disturb();
    await this.time.pass(ms, isEnough);
    if (!this.isCalm) this.disturb();
  }

  /** Nothing is on its way any more. */
  get isQuiet(): boolean {
    return (
      this.broker.unsettled === 0 &&
      this.redis.state.parked === 0 &&
      this.livingWorkers.every(({ relay, attempts }) => relay.openMessages === 0 && attempts.count === 0)
    );
  }

  end(): void {
    for (const { process } of this.livingWorkers) process.die();
    this.time.uninstall();
  }
}
