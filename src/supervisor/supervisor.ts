import type { ChildProcess } from 'node:child_process';
import type { Metric } from 'prom-client';
import type { Readiness } from '../observability/health-routes';
import type { Logger } from '../observability/logging';
import { Backoff } from '../time/backoff';
import type { MetricJson } from './messages';
import { calledOf, fieldsOf, nameOf, type Place } from './place';
import { PooledMetrics } from './pooled-metrics';
import { SupervisorMetrics } from './supervisor-metrics';
import { type WorkerExit, WorkerProcess } from './worker-process';

export interface SupervisorParts {
  readonly places: readonly Place[];
  readonly fork: (place: Place) => ChildProcess;
  readonly log: Logger;
  /** From the drain's beginning until workers that go on are ended. */
  readonly drainMs: number;
  /** What the supervisor counts as its workers do. */
  readonly sharedMetrics?: readonly Metric[];
  readonly pauses?: { readonly firstMs: number; readonly lastMs: number };
}

/** What is known of one place. */
interface Slot {
  readonly place: Place;
  readonly backoff: Backoff;
  /** Deaths before a start, one after the other. */
  deaths: number;
  /** Questions, one after the other, that it did not answer. */
  silentRounds: number;
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
/** Workers are asked so often, also where nobody else asks. */
const ASK_MS = 10_000;
/**
 * A minute of questions without an answer: by then brokers have given what it holds to others. Questions are counted, not time:
 * after a pause of the whole machine all would be late, and none hangs.
 */
const MOST_SILENT_ROUNDS = 6;

/**
 * Keeps N workers running, and a gateway beside them where there is to be one: a process that ends is replaced after a pause
 * that grows, and one that never comes up ends all of them, as a loop would hide what is wrong.
 */
export class Supervisor {
  readonly metrics: PooledMetrics;
  /** The exit code, once every worker has ended. */
  readonly ended: Promise<number>;
  private readonly own: SupervisorMetrics;
  private readonly slots: readonly Slot[];
  private finish: (code: number) => void = () => {};
  private state: 'running' | 'draining' = 'running';
  private worst = GOOD;
  private deadline: NodeJS.Timeout | undefined;
  private asking: NodeJS.Timeout | undefined;

  constructor(private readonly parts: SupervisorParts) {
    const { places, pauses = PAUSES, sharedMetrics = [] } = parts;
    this.own = new SupervisorMetrics(sharedMetrics);
    this.metrics = new PooledMetrics(this.own.registry, () => this.reports());
    this.slots = places.map((place) => ({
      place,
      backoff: new Backoff({ ...pauses, jitter: 0.2 }),
      deaths: 0,
      silentRounds: 0,
    }));
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  start(): void {
    for (const slot of this.slots) this.begin(slot);
    this.asking = setInterval(() => this.askAll(), ASK_MS);
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
      this.slots.map(async ({ place, worker }) => {
        const readiness = worker?.isStarted === true ? (await worker.report())?.readiness : undefined;
        return { place, readiness, isSilent: worker?.isSilent === true };
      }),
    );
    const parts = all.map(({ place, readiness, isSilent }) => [
      nameOf(place),
      isSilent ? 'does not answer' : summaryOf(readiness),
    ]);
    return {
      ready:
        this.state === 'running' &&
        all.every(({ readiness, isSilent }) => readiness?.ready === true && !isSilent),
      parts: Object.fromEntries(parts),
    };
  }

  private begin(slot: Slot): void {
    const { place } = slot;
    slot.silentRounds = 0;
    slot.worker = new WorkerProcess({
      place,
      child: this.parts.fork(place),
      log: this.parts.log,
      onStarted: () => {
        slot.deaths = 0;
        this.count();
      },
      onExit: (exit) => this.ends(slot, exit),
    });
    this.parts.log.info(`${place.part} process`, { ...fieldsOf(place), pid: slot.worker.pid });
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
    this.parts.log.error(`${calledOf(slot.place)} has ended: it is replaced`, {
      ...fieldsOf(slot.place),
      ...how,
      inMs: pauseMs,
    });
    slot.timer = setTimeout(() => this.begin(slot), pauseMs);
  }

  private giveUp({ place }: Slot, code: typeof FAILED | typeof WRONG_CONFIGURATION): void {
    const what =
      code === FAILED
        ? `ended ${MOST_DEATHS} times before it had started: what it said last, above, is the cause`
        : 'finds its configuration wrong';
    this.parts.log.error(`${calledOf(place)} ${what}. All processes end`, fieldsOf(place));
    this.worst = Math.max(this.worst, code);
    this.drain();
  }

  private finishIfOver(): void {
    if (this.slots.some(({ worker }) => worker !== undefined)) return;
    clearTimeout(this.deadline);
    clearInterval(this.asking);
    this.finish(this.worst);
  }

  private count(): void {
    const workers = this.slots.filter(({ place }) => place.part === 'worker');
    const started = workers.flatMap(({ worker }) => (worker?.isStarted === true ? [worker] : []));
    const silent = started.filter(({ isSilent }) => isSilent).length;
    const missing = workers.length - started.length;
    this.own.setProcesses({ running: started.length - silent, silent, missing });
  }

  /** A process that hangs does not end by itself: nobody else would notice, as the supervisor answers in its place. */
  private askAll(): void {
    if (this.state === 'draining') return;
    for (const slot of this.slots) {
      const { place, worker } = slot;
      if (worker === undefined) continue;
      slot.silentRounds = worker.leavesUnanswered ? slot.silentRounds + 1 : 0;
      if (slot.silentRounds < MOST_SILENT_ROUNDS) {
        void worker.report();
        continue;
      }
      const what = `${calledOf(place)} does not answer: it is ended`;
      this.parts.log.error(what, { ...fieldsOf(place), questions: slot.silentRounds });
      worker.endNow();
    }
  }

  private async reports(): Promise<(readonly MetricJson[])[]> {
    const started = this.slots.flatMap(({ worker }) => (worker?.isStarted === true ? [worker] : []));
    const all = await Promise.all(started.map(async (worker) => ({ worker, report: await worker.report() })));
    this.count();
    // A process that ended meanwhile is counted among the departed.
    const present = new Set(this.slots.map(({ worker }) => worker));
    return all.flatMap(({ worker, report }) =>
      report === undefined || !present.has(worker) ? [] : [report.metrics],
    );
  }
}

/** What keeps it from being ready, or that it is. */
function summaryOf(readiness: Readiness | undefined): string {
  if (readiness === undefined) return 'not started';
  const parts = Object.entries(readiness.parts).map(([name, detail]) => `${name}: ${detail}`);
  return readiness.ready ? 'ready' : parts.join('; ');
}
