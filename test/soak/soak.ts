import { setTimeout as delay } from 'node:timers/promises';
import { inflict, targetOf } from './faults';
import { planOf, type Step } from './plan';
import { type Footprint, footprintOf, grown, type SoakResult, tallied } from './result';
import { World } from './world';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Events published each second. */
  readonly rate: number;
  readonly log: (line: string) => void;
}

const WARM_UP_EVENTS = 500;
const HEAL_MS = 180_000;
const LOOK_MS = 250;
/** Connections that nobody uses any more are closed within this. */
const REST_MS = 15_000;

/** Faults of all kinds while events are published; then everything is well again, and what became of each event is counted. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { minutes, seed, rate, log } = options;
  const unexpected: string[] = [];
  const world = await World.open();
  try {
    await world.publish(0, WARM_UP_EVENTS, rate);
    await untilAll(world, WARM_UP_EVENTS, unexpected);
    const before = await footprintOf(world);
    const publishing = new Publishing(world, WARM_UP_EVENTS, rate);
    const faults = await makeFaults(planOf(seed, minutes, 60), { world, log, unexpected });
    const published = await publishing.stop();
    const startedAt = performance.now();
    await reviveWorkers(world, unexpected);
    await untilAll(world, published, unexpected);
    const healedMs = Math.round(performance.now() - startedAt);
    await inspect(world, unexpected);
    const after = await rested(world, before);
    unexpected.push(...grown(before, after));
    return { seed, faults, published, healedMs, before, after, unexpected, ...tallied(world, published) };
  } finally {
    await world.close();
  }
}

/** Publishes without an end. */
class Publishing {
  private isStopped = false;
  private readonly ended: Promise<number>;

  constructor(
    private readonly world: World,
    private readonly first: number,
    private readonly rate: number,
  ) {
    this.ended = this.run();
  }

  /** How many events there are now. */
  stop(): Promise<number> {
    this.isStopped = true;
    return this.ended;
  }

  private async run(): Promise<number> {
    let next = this.first;
    while (!this.isStopped) {
      await this.world.publish(next, this.rate, this.rate);
      next += this.rate;
    }
    return next;
  }
}

interface Making {
  readonly world: World;
  readonly log: (line: string) => void;
  readonly unexpected: string[];
}

/** As planned; one at a target that has another one begins when that is over. */
async function makeFaults(steps: readonly Step[], making: Making): Promise<Readonly<Record<string, number>>> {
  const { world, log, unexpected } = making;
  const underWay = new Map<string, Promise<void>>();
  const counts: Record<string, number> = {};
  for (const step of steps) {
    await delay(step.afterMs);
    const target = targetOf(step, world);
    await underWay.get(target);
    log(`${step.fault} (${target}, ${step.forMs} ms)`);
    counts[step.fault] = (counts[step.fault] ?? 0) + 1;
    const work = inflict(step, world, (what) => unexpected.push(what)).catch((error: unknown) => {
      unexpected.push(`${step.fault}: ${error instanceof Error ? error.message : String(error)}`);
    });
    underWay.set(target, work);
  }
  await Promise.all(underWay.values());
  return counts;
}

async function reviveWorkers(world: World, unexpected: string[]): Promise<void> {
  for (const [index, worker] of world.workers.entries()) {
    if (!worker.isRunning) {
      unexpected.push(`worker ${index} ended by itself: ${worker.log.slice(-500)}`);
      await world.replaceWorker(index);
    }
  }
  for (const worker of world.workers)
    await worker.untilReady(60_000).catch((error: unknown) => unexpected.push(`not ready: ${String(error)}`));
}

async function untilAll(world: World, published: number, unexpected: string[]): Promise<void> {
  const deadline = performance.now() + HEAL_MS;
  while (tallied(world, published).lost > 0) {
    if (performance.now() > deadline) {
      unexpected.push(`not everything was delivered within ${HEAL_MS / 1000} s`);
      return;
    }
    await delay(LOOK_MS);
  }
}

/** Nothing is left, and the audit says the same. */
async function inspect(world: World, unexpected: string[]): Promise<void> {
  const deadline = performance.now() + HEAL_MS;
  for (;;) {
    const { isBalanced, dead, parked } = await world.audit();
    const left = await world.queueLength();
    if (isBalanced && dead === 0 && parked === 0 && left === 0) return;
    if (performance.now() < deadline) {
      await delay(LOOK_MS);
      continue;
    }
    if (!isBalanced) unexpected.push('the audit does not balance');
    if (dead > 0) unexpected.push(`${dead} dead letters`);
    if (parked > 0) unexpected.push(`${parked} parked although everything was delivered`);
    if (left > 0) unexpected.push(`${left} messages left in the queue`);
    return;
  }
}

/** The footprint once it is no larger than before, or after a while. */
async function rested(world: World, before: Footprint): Promise<Footprint> {
  const deadline = performance.now() + REST_MS;
  for (;;) {
    const after = await footprintOf(world);
    if (grown(before, after).length === 0 || performance.now() > deadline) return after;
    await delay(LOOK_MS);
  }
}
