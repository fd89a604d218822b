import { globalId, instanceId } from '../../src/destinations/destination-ids';
import { parseEnvelope } from '../../src/events/envelope';
import type { EventId } from '../../src/events/event-id';
import { type DeliveryId, type DestinationId, deliveryId, destinationKey } from '../../src/pipeline/delivery';
import { MemoryBroker } from './broker';
import { LIMITS } from './limits';
import { type Chat, jidOf, Receiver } from './receivers';
import { ModelRedis, type RedisMode } from './redis';
import { ModelSettings, type SettingsEditor } from './settings';
import { VirtualTime } from './virtual-time';
import { ModelWorker } from './worker';

/** `well` is never sick; `late` has no settings at first. */
export const INSTANCES = ['sick', 'well', 'late'] as const;
/** And `orderly`, whose destination gets the events of each chat in their order. */
export type Instance = (typeof INSTANCES)[number] | 'orderly';

/** An event that was published, and what the run allows of it. */
export interface Published {
  readonly id: EventId;
  readonly instance: Instance;
  readonly at: number;
  /** Of an instance whose events keep their order. */
  readonly chat: Chat | undefined;
  /** Where it must have come in the end. */
  due: readonly DeliveryId[];
  /** Something happened meanwhile for which a delivery may be made twice. */
  mayRepeat: boolean;
  /** It may have been in what a flush took. */
  mayBeLost: boolean;
}

/** How long settings may take until they are in force, with everything up. */
const IN_FORCE_MS = 3000;
/** All workers know of what one found out within this. */
const KNOWN_EVERYWHERE_MS = 1000;
const LOSS_SEEN_MS = 1000;
/** Within this a process has got again what a lost channel held. */
const REDELIVERED_MS = 1000;

/** Everything outside the relay, and the relay's processes in it. */
export class World {
  readonly time = new VirtualTime();
  readonly broker = new MemoryBroker(this.time);
  readonly redis = new ModelRedis(this.time, instanceId('webhook', 'orderly'));
  readonly settings = new ModelSettings(this.redis);
  readonly global = globalId('webhook');
  readonly published: Published[] = [];
  main: ModelWorker;
  /** Another one that does the same, where there is one: from when on a command asks for it, or the main one was frozen. */
  second: ModelWorker | undefined;
  hadSecond = false;
  /** Since when nothing was wrong with any peer, and no process was away. */
  calmSince = 0;
  /** Something happened after which counts may be off: a process died without a drain, or Redis forgot. */
  mayMiscount = false;
  private readonly receivers = new Map<DestinationId, Receiver>();
  private readonly settingsChangedAt = new Map<Instance, number>();
  private workers = 0;
  /** What was wrong with an attempt, in words; the first such thing is kept. */
  excess: string | undefined;

  constructor() {
    this.time.install();
    this.settings.stored.set('sick', 'one').set('well', 'one').set('orderly', 'one');
    this.main = this.startWorker();
    // Whoever held it works on it, and another one gets it.
    this.broker.onTakenBack = () => {
      if (this.second !== undefined) this.excuse();
    };
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

  addWorker(): void {
    if (this.second !== undefined) return;
    this.disturb();
    this.hadSecond = true;
    // What a lost channel held may come to it.
    if (this.time.now - this.broker.lostAt < REDELIVERED_MS) this.excuse();
    this.second = this.startWorker();
  }

  private startWorker(): ModelWorker {
    const worker = new ModelWorker(this, `worker-${this.workers++}`);
    worker.start();
    return worker;
  }

  publish(instance: Instance, event: 'messages.upsert' | 'presence.update', chat?: Chat): void {
    const number = this.published.length;
    const about = chat === undefined ? {} : { key: { remoteJid: jidOf(chat) } };
    const data = { ...about, number, text: 'x'.repeat(120) };
    const body = Buffer.from(JSON.stringify({ event, instance, data }));
    const { id } = parseEnvelope(body, { routingKey: '' });
    const own = this.ownIds(instance);
    const due = event === 'messages.upsert' ? [this.global, ...own] : own;
    const mayRepeat = this.main.process.state !== 'running';
    const at = this.time.now;
    const deliveries = due.map((destination) => deliveryId(id, destinationKey(destination)));
    this.published.push({ id, instance, at, chat, due: deliveries, mayRepeat, mayBeLost: false });
    this.broker.publish(body, 'main');
    // What the ordered queue has of others is left out.
    if (instance === 'orderly') this.broker.publish(body, 'ordered');
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
    // Workers find out soon (src/redis/redis-health.ts).
    for (const { process, health } of this.livingWorkers)
      this.time.wire(LOSS_SEEN_MS, () => process.reach(() => health.readAnew()));
    this.excuse();
    for (const event of this.published) event.mayBeLost = true;
  }

  /** A process dies, and its memory is gone. Another one is started for the main one. */
  crash(who: 'main' | 'second'): void {
    if (who === 'second' && this.second === undefined) return;
    this.disturb();
    this.excuse();
    this[who]?.process.die();
    this.replace(who);
  }

  private replace(who: 'main' | 'second'): void {
    this.redis.forget(this[who]?.process.name);
    if (who === 'second') this.second = undefined;
    else this.main = this.startWorker();
  }

  /** SIGTERM, and another one is started for the main one. A drain that cannot write down what it did is an excuse. */
  async drain(who: 'main' | 'second'): Promise<void> {
    const worker = this[who];
    if (worker === undefined) return;
    this.thaw();
    // What a lost channel held comes again: to the next process, where this one ends before it does.
    const isComingAgain = this.time.now - this.broker.lostAt < REDELIVERED_MS;
    const isExcused = !this.isCalm || isComingAgain || this.broker.acknowledgementsToLose > 0;
    this.disturb();
    let isOver = false;
    void worker.drain().then(() => {
      isOver = true;
    });
    await this.pass(2 * LIMITS.shutdownMs, () => isOver);
    if (!isOver) throw new Error('the drain did not end');
    if (isExcused) this.excuse();
    this.replace(who);
    this.disturb();
  }

  freeze(): void {
    this.disturb();
    this.excuse();
    this.addWorker();
    this.main.process.freeze();
  }

  thaw(): void {
    if (this.main.process.state !== 'frozen') return;
    this.disturb();
    this.excuse();
    this.main.process.thaw();
  }

  /** A person suspends a destination. */
  suspend(id: DestinationId): void {
    if (this.redis.answers) this.redis.state.run('relaySuspend', [destinationKey(id), id]);
  }

  /** A person says that it is well. */
  resume(id: DestinationId): void {
    if (this.redis.answers) this.redis.state.run('relayWell', [destinationKey(id), 1]);
  }

  /** Whatever no person suspended goes on by itself. */
  resumeAll(): void {
    for (const { id, by } of [...this.redis.state.health.records.values()])
      if (by === 'person') this.resume(id);
  }

  /**
   * Once all workers know that a destination is not well, none of them attempts anything until its time is up, and then one of
   * them does once.
   */
  attemptBegins(id: DestinationId): void {
    const record = this.redis.state.health.records.get(destinationKey(id));
    if (record === undefined || !this.isCalm) return;
    const { state, at, untilMs } = record;
    const { now } = this.time;
    if (now - Math.max(at, this.calmSince, this.redis.callsGivenUpAt) <= KNOWN_EVERYWHERE_MS) return;
    if (now < untilMs) this.excess ??= `an attempt to ${id}, which is ${state}`;
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
