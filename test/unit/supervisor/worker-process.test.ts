import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { SILENT } from '../../../src/observability/logging';
import type { FromWorker, ToWorker } from '../../../src/supervisor/messages';
import { PROCESS_TRANSITIONS } from '../../../src/supervisor/process-states';
import { type WorkerExit, WorkerProcess } from '../../../src/supervisor/worker-process';
import { transitionsSuite } from '../lifecycle/transitions-suite';

transitionsSuite('worker process', PROCESS_TRANSITIONS);

/** A process that answers as it is told. */
class Child extends EventEmitter {
  readonly connected = true;
  pid: number | undefined = 1;
  readonly asked: ToWorker[] = [];

  send(message: ToWorker): void {
    this.asked.push(message);
  }

  says(message: FromWorker): void {
    this.emit('message', message);
  }
}

const LATE_MS = 2000;
const REPORT = { readiness: { ready: true, parts: {} }, metrics: [] };

function setup() {
  const child = new Child();
  const exits: WorkerExit[] = [];
  let starts = 0;
  const worker = new WorkerProcess({
    child: child as unknown as ChildProcess,
    place: { part: 'worker', number: 1 },
    onStarted: () => starts++,
    onExit: (exit) => exits.push(exit),
    log: SILENT,
  });
  const unanswered = async (): Promise<void> => {
    const report = worker.report();
    await jest.advanceTimersByTimeAsync(LATE_MS);
    await report;
  };
  return { child, worker, exits, unanswered, starts: () => starts };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('a process as its supervisor sees it', () => {
  it('is started once it says so, and once only', () => {
    const { child, worker, starts } = setup();
    expect(worker.isStarted).toBe(false);
    child.says({ kind: 'started' });
    child.says({ kind: 'started' });
    expect([worker.isStarted, worker.isSilent, starts()]).toEqual([true, false, 1]);
  });

  it('is silent from a question that it left unanswered until it says anything', async () => {
    const { child, worker, unanswered, starts } = setup();
    child.says({ kind: 'started' });
    await unanswered();
    expect([worker.isStarted, worker.isSilent]).toEqual([true, true]);
    child.says({ kind: 'reported', id: 0, report: REPORT });
    expect([worker.isStarted, worker.isSilent, starts()]).toEqual([true, false, 1]);
  });

  it('that has not started is not silent, and an answer does not start it', async () => {
    const { child, worker, unanswered, starts } = setup();
    await unanswered();
    child.says({ kind: 'reported', id: 0, report: REPORT });
    expect([worker.isStarted, worker.isSilent, starts()]).toEqual([false, false, 0]);
  });

  it.each([
    ['while it starts', () => {}, true],
    ['once it works', (child: Child) => child.says({ kind: 'started' }), false],
  ] as const)('ends once, and says whether that was %s', (_when, before, wasStarting) => {
    const { child, worker, exits } = setup();
    before(child);
    child.emit('exit', 1, null);
    child.emit('exit', 0, null);
    expect(exits).toMatchObject([{ code: 1, signal: null, wasStarting }]);
    expect([worker.isStarted, worker.isSilent]).toEqual([false, false]);
  });

  it('that could not be started has ended; an error of one that runs is not its end', () => {
    const { child, exits } = setup();
    child.emit('error', new Error('EPIPE'));
    expect(exits).toEqual([]);
    child.pid = undefined;
    child.emit('error', new Error('ENOENT'));
    expect(exits).toMatchObject([{ code: null, signal: null, wasStarting: true }]);
  });
});
