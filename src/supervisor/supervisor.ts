import type { ChildProcess } from 'node:child_process';
import type { Readiness } from '../observability/health-routes';
import type { Logger } from '../observability/logging';
import { Backoff } from '../time/backoff';
import type { MetricJson } from './messages';
import { PooledMetrics } from './pooled-metrics';
import { SupervisorMetrics } from './supervisor-metrics';
import { type WorkerExit, WorkerProcess } from './worker-process';

export interface SupervisorParts {
  readonly count: number;
  readonly fork: (number: number) => ChildProcess;
  readonly log: Logger;
  /** From the drain's beginning until workers that go on are ended. */
  readonly drainMs: number;
  readonly pauses?: { readonly firstMs: number; readonly lastMs: number };
}

/** One place among the workers. */
interface Slot {
  readonly number: number;
  readonly backoff: Backoff;
  /** Deaths before a start, one after the other. */
  deaths: number;
  worker?: WorkerProcess | undefined;
  timer?: NodeJS.Timeout;
}

/** How all of it ended, as an exit code. */
const GOOD = 0;
const FAILED = 1;
/** Of a worker that finds its configuration wrong: the next one would, too. */
const WRONG_CONFIGURATION = 2;

const PAUSES = { firstMs: 500, lastMs: 30_000 };
/** A worker that lived for so long is well: the next death is a first one. */
const STEADY_MS = 60_000;
/** Then it is not the moment that is wrong. */
const MOST_DEATHS = 5;

/**
 * Keeps N workers running: one that ends is replaced after a pause that grows, and one that never comes up ends all of
 * them, as a loop would hide what is wrong.
 */
export class Supervisor {
  readonly metrics: PooledMetrics;
  /** The exit code, once every worker has ended. */
  readonly ended: Promise<number>;
  private readonly own = new SupervisorMetrics();
  private readonly slots: readonly Slot[];
  private finish: (code: number) => void = () => {};
  private state: 'running' | 'draining' = 'running';
  private worst = GOOD;
  private deadline: NodeJS.Timeout | undefined;

  constructor(private readonly parts: SupervisorParts) {
    const { count, pauses = PAUSES } = parts;
    this.metrics = new PooledMetrics(this.own.registry, () => this.reports());
    this.slots = Array.from({ length: count }, (_, index) => ({
      number: index + 1,
      backoff: new Backoff({ ...pauses, jitter: 0.2 }),
      deaths: 0,
    }));
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  start(): void {
    for (const slot of this.slots) this.begin(slot);
  }

  /** Every worker drains; those that go on for too long are ended. Further calls do nothing. */
  drain(): void {
    if (this.state === 'draining') return;
    this.state = 'draining';
    for (const slot of this.slots) {
      clearTimeout(slot.timer);
      slot.worker?.drain();
    }
    this.deadline = setTimeout(() => {
      this.parts.log.error('workers do not end in time: they are ended', { after: this.parts.drainMs });
      this.endNow();
    }, this.parts.drainMs);
    this.finishIfOver();
  }

  /** Every worker ends at once, whatever it holds. */
  endNow(): void {
    this.drain();
    this.worst = Math.max(this.worst, FAILED);
    for (const { worker } of this.slots) worker?.endNow();
  }

  /** Ready where every worker is. */
  async readiness(): Promise<Readiness> {
    const all = await Promise.all(
      this.slots.map(async ({ number, worker }) => {
        const readiness = worker?.isStarted === true ? (await worker.report())?.readiness : undefined;
        return { number, readiness };
      }),
    );
    const parts = all.map(({ number, readiness }) => [`worker ${number}`, summaryOf(readiness)]);
    return {
      ready: this.state === 'running' && all.every(({ readiness }) => readiness?.ready === true),
      parts: Object.fromEntries(parts),
    };
  }

  private begin(slot: Slot): void {
    const { number } = slot;
    slot.worker = new WorkerProcess({
      number,
      child: this.parts.fork(number),
      onStarted: () => {
        slot.deaths = 0;
        this.count();
      },
      onExit: (exit) => this.ends(slot, exit),
    });
    this.parts.log.info('worker process', { worker: number, pid: slot.worker.pid });
    this.count();
  }

  private ends(slot: Slot, exit: WorkerExit): void {
    const last = slot.worker?.lastReport;
    slot.worker = undefined;
    if (last !== undefined) void this.metrics.depart(last.metrics);
    this.count();
    if (this.state === 'draining') {
      if (exit.code !== GOOD) this.worst = Math.max(this.worst, FAILED);
      return this.finishIfOver();
    }
    this.own.countRestart();
    if (exit.code === WRONG_CONFIGURATION) return this.giveUp(slot, WRONG_CONFIGURATION);
    slot.deaths = exit.wasStarting ? slot.deaths + 1 : 0;
    if (slot.deaths >= MOST_DEATHS) return this.giveUp(slot, FAILED);
    this.replace(slot, exit);
  }

  private replace(slot: Slot, { code, signal, livedMs }: WorkerExit): void {
    if (livedMs >= STEADY_MS) slot.backoff.reset();
    const pauseMs = Math.round(slot.backoff.next());
    const how = { code, signal, seconds: Math.round(livedMs / 1000) };
    this.parts.log.error('a worker process has ended: it is replaced', {
      worker: slot.number,
      ...how,
      inMs: pauseMs,
    });
    slot.timer = setTimeout(() => this.begin(slot), pauseMs);
  }

  private giveUp({ number }: Slot, code: typeof FAILED | typeof WRONG_CONFIGURATION): void {
    const text =
      code === FAILED
        ? `a worker process ended ${MOST_DEATHS} times before it had started: what it said last, above, is the cause. All workers end`
        : 'a worker process finds its configuration wrong. All workers end';
    this.parts.log.error(text, { worker: number });
    this.worst = Math.max(this.worst, code);
    this.drain();
  }

  private finishIfOver(): void {
    if (this.slots.some(({ worker }) => worker !== undefined)) return;
    clearTimeout(this.deadline);
    this.finish(this.worst);
  }

  private count(): void {
    const running = this.slots.filter(({ worker }) => worker?.isStarted === true).length;
    this.own.setProcesses(running, this.slots.length - running);
  }

  private async reports(): Promise<(readonly MetricJson[])[]> {
    const started = this.slots.flatMap(({ worker }) => (worker?.isStarted === true ? [worker] : []));
    const all = await Promise.all(started.map((worker) => worker.report()));
    return all.flatMap((report) => (report === undefined ? [] : [report.metrics]));
  }
}

/** What keeps it from being ready, or that it is. */
function summaryOf(readiness: Readiness | undefined): string {
  if (readiness === undefined) return 'not started';
  const parts = Object.entries(readiness.parts).map(([name, detail]) => `${name}: ${detail}`);
  return readiness.ready ? 'ready' : parts.join('; ');
}
