import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Counter, type Metric, Registry } from 'prom-client';
import { SILENT } from '../../../src/observability/logging';
import { Metrics } from '../../../src/observability/metrics';
import type { MetricJson } from '../../../src/supervisor/messages';
import { placesOf } from '../../../src/supervisor/place';
import { Supervisor } from '../../../src/supervisor/supervisor';

/** A worker's process, as far as a supervisor sees it. */
class FakeChild extends EventEmitter {
  readonly pid = 1;
  connected = true;
  readonly sent: string[] = [];
  killed = false;
  /** What it counted. */
  metrics: readonly MetricJson[] = [];
  isBusy = false;

  send(message: { kind: string; id?: number }): void {
    this.sent.push(message.kind);
    if (message.kind === 'report' && !this.isBusy)
      this.say({
        kind: 'reported',
        id: message.id,
        report: { metrics: this.metrics, readiness: { ready: true, parts: {} } },
      });
  }

  kill(): void {
    this.killed = true;
    this.end(null, 'SIGKILL');
  }

  say(message: object): void {
    this.emit('message', message);
  }

  start(): this {
    this.say({ kind: 'started' });
    return this;
  }

  end(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.connected = false;
    this.emit('exit', code, signal);
  }
}

interface Setup {
  readonly sharedMetrics?: readonly Metric[];
  readonly withGateway?: boolean;
}

function setup(count = 2, { sharedMetrics = [], withGateway = false }: Setup = {}) {
  const children: { number: number; child: FakeChild }[] = [];
  const errors: string[] = [];
  const supervisor = new Supervisor({
    places: placesOf(count, withGateway),
    fork: (place) => {
      const child = new FakeChild();
      children.push({ number: place.part === 'worker' ? place.number : 0, child });
      return child as unknown as ChildProcess;
    },
    log: { ...SILENT, error: (message) => errors.push(message) },
    drainMs: 10_000,
    sharedMetrics,
    pauses: { firstMs: 100, lastMs: 1000 },
  });
  let code: number | undefined;
  void supervisor.ended.then((ended) => {
    code = ended;
  });
  supervisor.start();
  const last = (): FakeChild => {
    const { child } = children.at(-1) ?? {};
    if (child === undefined) throw new Error('nothing was started');
    return child;
  };
  const each = (work: (child: FakeChild) => void): void => {
    for (const { child } of children) work(child);
  };
  return {
    supervisor,
    children,
    errors,
    last,
    each,
    exitCode: async () => {
      await Promise.resolve();
      await Promise.resolve();
      return code;
    },
  };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a supervisor', () => {
  it('a worker that ends is replaced under its number, after a pause that grows', () => {
    const { children, last } = setup(1);
    const pauses: number[] = [];
    for (let round = 0; round < 4; round++) {
      last().start().end(1);
      let ms = 0;
      const before = children.length;
      while (children.length === before) {
        jest.advanceTimersByTime(10);
        ms += 10;
      }
      pauses.push(ms);
    }
    expect(children.map(({ number }) => number)).toEqual([1, 1, 1, 1, 1]);
    expect([...pauses].sort((a, b) => a - b)).toEqual(pauses);
    expect(pauses[0]).toBeGreaterThanOrEqual(80);
    expect(pauses[3]).toBeLessThanOrEqual(1000);
  });

  it('one that never starts is tried five times, then all end: exit 1, with the reason', async () => {
    const { supervisor, children, errors, exitCode } = setup(2);
    children[1]?.child.start();
    for (let round = 0; round < 5; round++) {
      children
        .filter(({ number }) => number === 1)
        .at(-1)
        ?.child.end(1);
      jest.advanceTimersByTime(1500);
    }
    expect(children.filter(({ number }) => number === 1).length).toBe(5);
    expect(errors.at(-1)).toContain('ended 5 times before it had started');
    expect(children[1]?.child.sent).toContain('drain');
    children[1]?.child.end(0);
    expect(await exitCode()).toBe(1);
    expect((await supervisor.readiness()).ready).toBe(false);
  });

  it('deaths between starts are no reason to give up', () => {
    const { children, last } = setup(1);
    for (let round = 0; round < 12; round++) {
      if (round % 4 === 3) last().start();
      last().end(1);
      jest.advanceTimersByTime(1500);
    }
    expect(children.length).toBe(13);
  });

  it('a wrong configuration is no accident: all end with 2, and nothing is tried again', async () => {
    const { children, exitCode } = setup(2);
    children[0]?.child.end(2);
    children[1]?.child.end(0);
    jest.advanceTimersByTime(5000);
    expect(children.length).toBe(2);
    expect(await exitCode()).toBe(2);
  });

  it('a drain is passed on once, ends with 0 where all workers do, and replaces none', async () => {
    const { supervisor, children, each, exitCode } = setup(3);
    each((child) => child.start());
    supervisor.drain();
    supervisor.drain();
    expect(children.map(({ child }) => child.sent)).toEqual([['drain'], ['drain'], ['drain']]);
    each((child) => child.end(0));
    jest.advanceTimersByTime(60_000);
    expect(children.length).toBe(3);
    expect(await exitCode()).toBe(0);
  });

  it('one worker that could not settle everything makes the exit 1', async () => {
    const { supervisor, children, each, exitCode } = setup(2);
    each((child) => child.start());
    supervisor.drain();
    children[0]?.child.end(1);
    expect(await exitCode()).toBeUndefined();
    children[1]?.child.end(0);
    expect(await exitCode()).toBe(1);
  });

  it('workers that go on for longer than the drain takes are ended', async () => {
    const { supervisor, children, each, exitCode } = setup(2);
    each((child) => child.start());
    supervisor.drain();
    children[0]?.child.end(0);
    jest.advanceTimersByTime(10_000);
    expect(children[1]?.child.killed).toBe(true);
    expect(await exitCode()).toBe(1);
  });

  it('ends at once where it is asked to, also while it waits to replace a worker', async () => {
    const { supervisor, children, exitCode } = setup(2);
    children[0]?.child.end(1);
    supervisor.endNow();
    expect(children[1]?.child.killed).toBe(true);
    jest.advanceTimersByTime(60_000);
    expect(children.length).toBe(2);
    expect(await exitCode()).toBe(1);
  });

  it('is ready where every worker is', async () => {
    const { supervisor, children } = setup(2);
    children[0]?.child.start();
    expect(await supervisor.readiness()).toEqual({
      ready: false,
      parts: { 'worker 1': 'ready', 'worker 2': 'not started' },
    });
    children[1]?.child.start();
    expect((await supervisor.readiness()).ready).toBe(true);
  });

  it('a worker that does not answer is not ready, and counted apart, until it answers again', async () => {
    const { supervisor, children, each } = setup(2);
    each((child) => child.start());
    await supervisor.readiness();
    const [, second] = children;
    if (second === undefined) throw new Error('nothing was started');
    second.child.isBusy = true;
    const asked = supervisor.readiness();
    await jest.advanceTimersByTimeAsync(5000);
    expect(await asked).toEqual({
      ready: false,
      parts: { 'worker 1': 'ready', 'worker 2': 'does not answer' },
    });
    const shown = supervisor.metrics.metrics();
    await jest.advanceTimersByTimeAsync(5000);
    const lines = await shown;
    for (const line of ['{state="running"} 1', '{state="silent"} 1', '{state="missing"} 0'])
      expect(lines).toContain(`relay_worker_processes${line}`);
    second.child.isBusy = false;
    expect((await supervisor.readiness()).ready).toBe(true);
  });

  it('a worker that has not answered for a minute is ended and replaced', async () => {
    const { supervisor, children, errors, each } = setup(2);
    each((child) => child.start());
    const [first, second] = children;
    if (first === undefined || second === undefined) throw new Error('nothing was started');
    await jest.advanceTimersByTimeAsync(120_000);
    expect(children.length).toBe(2);
    second.child.isBusy = true;
    await jest.advanceTimersByTimeAsync(45_000);
    expect(second.child.killed).toBe(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect([first.child.killed, second.child.killed]).toEqual([false, true]);
    expect(children.map(({ number }) => number)).toEqual([1, 2, 2]);
    expect(errors.join()).toContain('does not answer');
    supervisor.endNow();
  });

  it('a worker that hangs before it has started is ended and replaced, one that waits for its peers is not', async () => {
    const { children, supervisor } = setup(2);
    const [first, second] = children;
    if (first === undefined || second === undefined) throw new Error('nothing was started');
    second.child.isBusy = true;
    await jest.advanceTimersByTimeAsync(45_000);
    expect(second.child.killed).toBe(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect([first.child.killed, second.child.killed]).toEqual([false, true]);
    expect(children.map(({ number }) => number)).toEqual([1, 2, 2]);
    supervisor.endNow();
  });

  it('however often a worker is asked, it has a minute', async () => {
    const { supervisor, last } = setup(1);
    last().start();
    last().isBusy = true;
    for (let seconds = 0; seconds < 40; seconds++) {
      for (let asked = 0; asked < 5; asked++) void supervisor.readiness();
      await jest.advanceTimersByTimeAsync(1000);
    }
    expect(last().killed).toBe(false);
    supervisor.endNow();
  });

  it('a gateway beside the workers is watched as they are, and is none of their number', async () => {
    const { supervisor, children, errors, each, last, exitCode } = setup(2, { withGateway: true });
    expect(children.map(({ number }) => number)).toEqual([0, 1, 2]);
    const [gateway] = children;
    each((child) => child.start());
    expect(await supervisor.readiness()).toEqual({
      ready: true,
      parts: { gateway: 'ready', 'worker 1': 'ready', 'worker 2': 'ready' },
    });
    const shown = await supervisor.metrics.metrics();
    expect(shown).toContain('relay_worker_processes{state="running"} 2');
    gateway?.child.end(1);
    expect(errors).toEqual(['the gateway process has ended: it is replaced']);
    expect((await supervisor.readiness()).ready).toBe(false);
    jest.advanceTimersByTime(1500);
    expect(children.map(({ number }) => number)).toEqual([0, 1, 2, 0]);
    last().start();
    expect((await supervisor.readiness()).ready).toBe(true);
    supervisor.drain();
    for (const { child } of children.slice(1)) child.end(0);
    expect(await exitCode()).toBe(0);
  });

  it('what a worker counted that ends while it is asked counts once', async () => {
    const { supervisor, last } = setup(1);
    const registry = new Registry();
    new Counter({ name: 'counted', help: 'counted', registers: [registry] }).inc(7);
    last().metrics = await registry.getMetricsAsJSON();
    last().start();
    expect(await supervisor.metrics.metrics()).toContain('\ncounted 7\n');
    last().isBusy = true;
    const asked = supervisor.metrics.metrics();
    last().end(1);
    await jest.advanceTimersByTimeAsync(5000);
    expect(await asked).toContain('\ncounted 7\n');
  });

  it('log lines that it drops itself are added to those that its workers drop', async () => {
    const [ofWorker, own] = [new Metrics(), new Metrics()];
    ofWorker.logLinesDropped.addMany(7);
    own.logLinesDropped.addMany(3);
    const { supervisor, last } = setup(1, { sharedMetrics: own.logLinesDropped.counters });
    last().metrics = await ofWorker.registry.getMetricsAsJSON();
    last().start();
    expect(await supervisor.metrics.metrics()).toContain('\nrelay_log_lines_dropped_total 10\n');
  });
});
