import type { ChildProcess } from 'node:child_process';
import { StateMachine } from '../lifecycle/state-machine';
import type { Logger } from '../observability/logging';
import { monotonicMs } from '../time/monotonic';
import { within } from '../time/within';
import { type FromWorker, isMessage, type ToWorker, type WorkerReport } from './messages';
import { nameOf, type Place } from './place';
import { PROCESS_TRANSITIONS, type ProcessState } from './process-states';

/** How a worker's process ended. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It never began to work. */
  readonly wasStarting: boolean;
  readonly livedMs: number;
}

export interface WorkerProcessParts {
  readonly child: ChildProcess;
  readonly place: Place;
  readonly onStarted: () => void;
  readonly onExit: (exit: WorkerExit) => void;
  readonly log: Logger;
}

/** A busy worker answers late; it is then shown as it was. */
const REPORT_MS = 2000;

/** One process, a worker's or the gateway's, as its supervisor sees it. */
export class WorkerProcess {
  /** What it reported last. */
  lastReport: WorkerReport | undefined;
  private readonly machine: StateMachine<ProcessState>;
  private readonly begunAt = monotonicMs();
  private nextId = 0;
  private readonly asked = new Map<number, (report: WorkerReport) => void>();

  constructor(private readonly parts: WorkerProcessParts) {
    const { child, place, log } = parts;
    this.machine = new StateMachine<ProcessState>({
      name: `process of ${nameOf(place)}`,
      initial: 'starting',
      transitions: PROCESS_TRANSITIONS,
      log,
    });
    child.on('message', (message: unknown) => {
      if (isMessage(message)) this.take(message as FromWorker);
    });
    child.once('exit', (code, signal) => this.end(code, signal));
    // It could not be started, or not be written to; where it runs, `exit` follows.
    child.on('error', () => {
      if (child.pid === undefined) this.end(null, null);
    });
  }

  /** It has begun to work, and has not ended. */
  get isStarted(): boolean {
    return this.machine.is('answering', 'silent');
  }

  /** Whether it left a question unanswered, and has said nothing since. */
  get isSilent(): boolean {
    return this.machine.is('silent');
  }

  /** The same, whether it has begun to work or not: one that waits for its peers answers, too. */
  get leavesUnanswered(): boolean {
    return this.machine.is('silent', 'stuck');
  }

  get pid(): number | undefined {
    return this.parts.child.pid;
  }

  /** What it knows of itself now; what it said last where it does not answer, undefined where it never did. */
  async report(): Promise<WorkerReport | undefined> {
    const id = this.nextId++;
    const answer = new Promise<WorkerReport>((resolve) => this.asked.set(id, resolve));
    this.send({ kind: 'report', id });
    try {
      this.lastReport = await within(answer, REPORT_MS, () => new Error('no report in time'));
    } catch {
      this.machine.move(this.isStarted ? 'silent' : 'stuck');
      this.asked.delete(id);
    }
    return this.lastReport;
  }

  drain(): void {
    this.send({ kind: 'drain' });
  }

  /** Without waiting for what is under way. */
  endNow(): void {
    this.send({ kind: 'end' });
    this.parts.child.kill('SIGKILL');
  }

  private take(message: FromWorker): void {
    if (message.kind === 'started') {
      if (this.machine.move('answering')) this.parts.onStarted();
      return;
    }
    if (this.machine.is('silent')) this.machine.move('answering');
    else if (this.machine.is('stuck')) this.machine.move('starting');
    this.asked.get(message.id)?.(message.report);
    this.asked.delete(message.id);
  }

  private end(code: number | null, signal: NodeJS.Signals | null): void {
    const wasStarting = this.machine.is('starting', 'stuck');
    if (!this.machine.move('over')) return;
    this.parts.onExit({ code, signal, wasStarting, livedMs: monotonicMs() - this.begunAt });
  }

  private send(message: ToWorker): void {
    const { child } = this.parts;
    if (child.connected) child.send(message, () => {});
  }
}
