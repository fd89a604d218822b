import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Receiver } from '../support/servers/receiver';
import type { FaultName, Step } from './plan';
import type { World } from './world';

/** Something happened that nobody asked for. */
export type Complain = (what: string) => void;

/** Longest that a drain may take, beyond the time that it gives itself. */
const DRAIN_MS = 25_000;

/** What a fault is done to: two of the same do not overlap. */
export function targetOf({ fault, target }: Step, world: World): string {
  const [kind = ''] = fault.split(' ');
  if (kind === 'worker') return `worker ${target % world.workers.length}`;
  return kind === 'receiver' ? `receiver ${target % world.receivers.length}` : kind;
}

/** Does it, and undoes it. */
export async function inflict(step: Step, world: World, complain: Complain): Promise<void> {
  const { fault, forMs } = step;
  const receiver = world.receivers[step.target % world.receivers.length];
  const worker = step.target % world.workers.length;
  if (receiver === undefined) return;
  const answers = ANSWERS[fault];
  if (answers !== undefined) return misbehave(receiver, answers, forMs);
  switch (fault) {
    case 'worker killed':
    case 'worker frozen':
    case 'worker drained':
      return harmWorker(fault, worker, { world, forMs, complain });
    case 'redis cut':
      return world.cutRedis(forMs, delay);
    case 'redis silent':
      return world.silenceRedis();
    case 'redis restarted':
      return world.redis.restart();
    case 'broker cut':
      return world.amqp.cut();
    case 'broker ends connections':
      return world.amqp.closeConnections();
    case 'broker away':
      await world.amqp.goOffline();
      await delay(forMs);
      return world.amqp.goOnline();
    case 'receiver refuses':
      await receiver.down();
      await delay(forMs);
      return receiver.up();
  }
}

const ANSWERS: Partial<Record<FaultName, Answer>> = {
  'receiver hangs': 'hang',
  'receiver answers 500': { status: 500 },
  'receiver answers 429': { status: 429 },
  'receiver resets': 'reset',
  'receiver slow': { status: 200, afterMs: 1500 },
};

async function misbehave(receiver: Receiver, answer: Answer, forMs: number): Promise<void> {
  const { behaviour } = receiver;
  receiver.behaviour = () => answer;
  await delay(forMs);
  receiver.behaviour = behaviour;
}

interface Harm {
  readonly world: World;
  readonly forMs: number;
  readonly complain: Complain;
}

async function harmWorker(fault: FaultName, index: number, { world, forMs, complain }: Harm): Promise<void> {
  const worker = world.workers[index];
  if (worker === undefined) return;
  if (!worker.isRunning) {
    const { code, signal } = await worker.exited;
    complain(`worker ${index} ended by itself: ${code ?? signal}; ${worker.log.slice(-500)}`);
    return world.replaceWorker(index);
  }
  if (fault === 'worker frozen') {
    worker.signal('SIGSTOP');
    await delay(forMs);
    return worker.signal('SIGCONT');
  }
  if (fault === 'worker killed') await worker.kill();
  else {
    const { status } = await worker.readiness();
    worker.signal('SIGTERM');
    const { code, signal } = await worker.ended(DRAIN_MS);
    // 1: something could not be settled, as where Redis was away meanwhile; the broker has it.
    const isWell = code === 0 || code === 1;
    // A process that has only begun to start ends as the system has it.
    const hadBegun = status !== 0;
    if (!isWell && hadBegun) complain(`worker ${index} drained with ${code ?? signal}`);
  }
  await delay(Math.min(forMs, 1000));
  await world.replaceWorker(index);
}
