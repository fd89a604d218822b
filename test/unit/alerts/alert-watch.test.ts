import type { AlertMessage } from '../../../src/alerts/alert-causes';
import type { AlertLease } from '../../../src/alerts/alert-store';
import { AlertWatch } from '../../../src/alerts/alert-watch';

const MINUTE_MS = 60_000;

/** A worker whose Redis is as the test says. */
class Worker {
  readonly sent: string[] = [];
  readonly ids: string[] = [];
  redis: 'away' | 'refuses' | 'answers' = 'answers';
  readonly watch: AlertWatch;

  constructor(saysAway = true) {
    const worker = this;
    this.watch = new AlertWatch({
      store: {
        get isReady() {
          return worker.redis !== 'away';
        },
        // Another worker alerts of all else.
        lease: async (): Promise<AlertLease | undefined> => {
          if (worker.redis === 'refuses') throw new Error('MISCONF');
          return undefined;
        },
        keep: async () => false,
        leave: async () => {},
        newDeadLetters: async () => ({ count: 0, reasons: {}, until: 0 }),
      },
      readings: { read: async () => ({ conditions: [], unread: new Set() }) },
      relay: 'test',
      intervalMs: 15 * MINUTE_MS,
      send: async (id, message: AlertMessage) => {
        this.ids.push(id);
        const about = message.kind === 'counted' ? [] : message.items.map(({ subject }) => subject);
        this.sent.push(`${message.kind} ${message.cause} ${about.join()}`);
        return { kind: 'delivered' };
      },
      saysAway,
      redisDetail: () => 'waiting for redis',
      onSent: () => {},
      onFailed: () => {},
      onError: () => {},
    });
  }

  /** Looks every five seconds. */
  async lookFor(ms: number): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 5000) {
      await this.watch.look();
      await jest.advanceTimersByTimeAsync(5000);
    }
  }
}

describe('while Redis cannot say who alerts', () => {
  beforeEach(() => void jest.useFakeTimers({ now: Date.UTC(2026, 0, 5) }));
  afterEach(() => void jest.useRealTimers());

  test.each(['away', 'refuses'] as const)(
    'as it is %s, each worker says so once, and that it is over',
    async (how) => {
      const worker = new Worker();
      worker.redis = how;
      await worker.lookFor(MINUTE_MS - 10_000);
      expect(worker.sent).toEqual([]);
      await worker.lookFor(5 * MINUTE_MS);
      expect(worker.sent).toEqual(['began redis-at-risk connection']);
      worker.redis = 'answers';
      await worker.lookFor(10_000);
      expect(worker.sent.slice(1)).toEqual(['over redis-well connection']);
    },
  );

  test('all say so under one id, by which receivers leave out repeats', async () => {
    const workers = [new Worker(), new Worker()];
    for (const worker of workers) worker.redis = 'away';
    for (let round = 0; round < 15; round++) for (const worker of workers) await worker.lookFor(0);
    const [one, other] = workers;
    expect(one?.ids).toHaveLength(1);
    expect(other?.ids).toEqual(one?.ids);
  });

  test('of the workers of one supervisor the first one says so alone', async () => {
    const workers = [new Worker(), new Worker(false), new Worker(false)];
    for (const worker of workers) worker.redis = 'away';
    for (let round = 0; round < 15; round++) for (const worker of workers) await worker.lookFor(0);
    expect(workers.map(({ ids }) => ids.length)).toEqual([1, 0, 0]);
  });

  test('a Redis that is away for a moment is nobody told of', async () => {
    const worker = new Worker();
    for (let round = 0; round < 10; round++) {
      worker.redis = 'away';
      await worker.lookFor(40_000);
      worker.redis = 'answers';
      await worker.lookFor(0);
    }
    expect(worker.sent).toEqual([]);
  });
});
