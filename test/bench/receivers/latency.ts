import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../child';
import type { Bench } from '../context';

type Question = 'count' | 'latencies';

/** Notes how long each event took that says when it was published, in a process of its own (latency-process.ts). */
export class LatencyReceiver {
  private constructor(
    private readonly child: Child,
    readonly url: string,
  ) {}

  static async start({ cleanup, folder }: Pick<Bench, 'cleanup' | 'folder'>): Promise<LatencyReceiver> {
    const args = Child.script('receivers/latency-process.ts');
    const child = await Child.start({ name: 'latency receiver', args, env: {}, folder }, cleanup);
    const { port } = await child.message<{ port: number }>();
    return new LatencyReceiver(child, `http://127.0.0.1:${port}/webhook`);
  }

  received(): Promise<number> {
    return this.ask('count');
  }

  /** In milliseconds, of those that came since the last call. */
  latencies(): Promise<number[]> {
    return this.ask('latencies');
  }

  stop(): Promise<void> {
    return this.child.stop();
  }

  private ask<T>(question: Question): Promise<T> {
    const answer = this.child.message<T>();
    this.child.send(question);
    return answer;
  }
}

/** Calls `publish` at an even pace until the time is over, or `isOver` says so. */
export async function publishSteadily(
  perSecond: number,
  seconds: number,
  publish: () => void,
  isOver: () => boolean = () => false,
): Promise<number> {
  const startedAt = performance.now();
  let published = 0;
  while (published < seconds * perSecond && !isOver()) {
    const due = Math.min(((performance.now() - startedAt) / 1000) * perSecond, seconds * perSecond);
    for (; published < due; published++) publish();
    await delay(1);
  }
  return published;
}
