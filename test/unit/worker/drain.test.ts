import { Lifecycle } from '../../../src/lifecycle/lifecycle';
import { type Logger, SILENT } from '../../../src/observability/logging';
import { type DrainParts, drain, drainSteps } from '../../../src/worker/drain';
import { deferred } from '../../support/signals/signals';

const DEADLINE_MS = 30_000;

/** Stands for all parts of a worker, and writes down what is asked of them. */
class World {
  readonly calls: string[] = [];
  readonly lifecycle = new Lifecycle();
  readonly log: Logger = {
    ...SILENT,
    debug: (line) => this.passed.push(line),
    warn: (line) => this.warned.push(line),
  };
  readonly passed: string[] = [];
  readonly warned: string[] = [];
  /** What a call does beside being written down. */
  readonly behaviour = new Map<string, () => unknown>();
  openMessages = 0;
  attempts = 0;

  constructor() {
    for (const name of ['redis', 'brokers'])
      this.lifecycle.add(name, name, () => this.call(`release ${name}`));
  }

  get parts(): DrainParts {
    const world = this;
    const call = (name: string) => async (): Promise<void> => void (await this.call(name));
    return {
      sources: { stopIntake: call('sources.stopIntake') },
      retries: { stopIntake: call('retries.stopIntake'), close: call('retries.close') },
      gauges: { stop: call('gauges.stop') },
      silences: { stop: call('silences.stop') },
      alerting: { stop: call('alerting.stop') },
      lids: { stop: call('lids.stop') },
      settings: { close: () => void this.call('settings.close') },
      deduplication: { drain: () => void this.call('deduplication.drain') },
      relay: {
        idle: call('relay.idle'),
        get openMessages() {
          return world.openMessages;
        },
      },
      attempts: {
        idle: call('attempts.idle'),
        interrupt: () => void this.call('interrupt'),
        get count() {
          return world.attempts;
        },
      },
      directAttempts: {
        idle: call('directAttempts.idle'),
        drain: () => void this.call('directAttempts.drain'),
      },
      copies: { stop: call('copies.stop') },
      lanes: { drain: () => void this.call('lanes.drain') },
      ledger: { flush: call('flush'), uncounted: undefined },
      commit: { close: () => void this.call('commit.close') },
      lifecycle: this.lifecycle,
      log: this.log,
    };
  }

  /** Drains while time passes as fast as it can. */
  async drain(): Promise<boolean> {
    const drained = drain(this.parts, DEADLINE_MS);
    await jest.advanceTimersByTimeAsync(DEADLINE_MS);
    return drained;
  }

  /** The place of each call among all that were made; -1 where it was not made. */
  order(...names: readonly string[]): number[] {
    return names.map((name) => this.calls.indexOf(name));
  }

  private call(name: string): unknown {
    this.calls.push(name);
    return this.behaviour.get(name)?.();
  }
}

const hangs = (): Promise<void> => deferred().promise;
const throws = (): never => {
  throw new Error('broken');
};

describe('the drain', () => {
  let world: World;
  beforeEach(() => {
    jest.useFakeTimers();
    world = new World();
  });
  afterEach(() => jest.useRealTimers());

  test('is a table of steps whose shares are hundredths of the deadline', () => {
    const steps = drainSteps(world.parts);
    expect(steps.map(({ name }) => name)).toEqual([
      'stop intake',
      'wait for attempts',
      'interrupt',
      'settle',
      'close retries',
      'flush ledger',
      'close store',
      'brokers',
      'redis',
    ]);
    expect(steps.reduce((sum, { share }) => sum + share, 0)).toBe(100);
  });

  test('stops intake, settles, closes the store, then brokers, and Redis last', async () => {
    expect(await world.drain()).toBe(true);
    const order = world.order(
      'sources.stopIntake',
      'relay.idle',
      'retries.close',
      'flush',
      'commit.close',
      'release brokers',
      'release redis',
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    expect(world.calls).not.toContain('interrupt');
    expect(world.passed).toContain('drain: wait for attempts');
  });

  test('stops everything that begins something new before it waits for anything', async () => {
    void drain(world.parts, DEADLINE_MS);
    expect([...world.calls].sort()).toEqual([
      'alerting.stop',
      'copies.stop',
      'deduplication.drain',
      'directAttempts.drain',
      'gauges.stop',
      'lanes.drain',
      'lids.stop',
      'retries.stopIntake',
      'settings.close',
      'silences.stop',
      'sources.stopIntake',
    ]);
    await jest.advanceTimersByTimeAsync(DEADLINE_MS);
  });

  test('interrupts attempts that are still under way after four fifths of the deadline, and settles them', async () => {
    const ended = deferred();
    Object.assign(world, { attempts: 2, openMessages: 2 });
    world.behaviour.set('attempts.idle', () => ended.promise);
    world.behaviour.set('interrupt', () => {
      Object.assign(world, { attempts: 0, openMessages: 0 });
      ended.resolve();
    });
    const drained = drain(world.parts, DEADLINE_MS);
    await jest.advanceTimersByTimeAsync(DEADLINE_MS * 0.8 - 1);
    expect(world.calls).not.toContain('interrupt');
    await jest.advanceTimersByTimeAsync(1);
    expect(await drained).toBe(true);
    expect(world.warned).toContain('interrupting attempts');
  });

  const everyStep = [
    'sources.stopIntake',
    'retries.stopIntake',
    'gauges.stop',
    'silences.stop',
    'relay.idle',
    'attempts.idle',
    'retries.close',
    'flush',
    'commit.close',
    'release brokers',
    'release redis',
  ];
  test.each(everyStep)('%s may fail: everything after it happens all the same', async (name) => {
    world.behaviour.set(name, throws);
    await world.drain();
    expect(everyStep.filter((each) => !world.calls.includes(each))).toEqual([]);
  });

  const hanging = everyStep.filter((name) => name !== 'commit.close');
  test.each(hanging)('%s may hang: everything after it happens before the deadline', async (name) => {
    world.behaviour.set(name, hangs);
    await world.drain();
    expect(everyStep.filter((each) => !world.calls.includes(each))).toEqual([]);
  });

  test('ends by its deadline where everything hangs', async () => {
    for (const name of hanging) world.behaviour.set(name, hangs);
    expect(await world.drain()).toBe(false);
  });

  test.each([
    ['relay.idle', 'not everything is settled'],
    ['retries.close', 'a retry is under way'],
    ['flush', 'deliveries are not counted'],
  ])('%s in vain: %s, and the answer is false', async (name) => {
    world.behaviour.set(name, hangs);
    expect(await world.drain()).toBe(false);
  });

  test('messages that are left to the broker make the answer false', async () => {
    world.openMessages = 1;
    expect(await world.drain()).toBe(false);
  });
});
