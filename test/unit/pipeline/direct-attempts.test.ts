import type { DirectResult, ResultSink } from '../../../src/pipeline/direct-attempts';
import {
  DELIVERED,
  FAILED,
  FakeDestination,
  INTERRUPTED,
  PipelineHarness,
  type PipelineOptions,
  REJECTED,
} from '../../support/harness/pipeline-harness';
import { deliveryTo, eventBody } from '../../support/values/events';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

function setup(options: PipelineOptions = {}): PipelineHarness & { destination: FakeDestination } {
  return Object.assign(new PipelineHarness(options), { destination: new FakeDestination() });
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('the direct attempt', () => {
  test('is made at once, and a delivery that is confirmed never touches the store', async () => {
    const { destination, parking, submit } = bind(setup());
    const results = submit(destination);
    expect(destination.at(0).attempt).toBe(1);
    destination.at(0).end(DELIVERED);
    await pass(0);
    expect(results).toEqual(['delivered']);
    expect(parking.parked).toEqual([]);
  });

  test('failed: parked with its history and one attempt spent', async () => {
    const { destination, parking, submit } = bind(setup());
    const results = submit(destination);
    await pass(7);
    destination.at(0).end(FAILED);
    await pass(0);
    expect(results).toEqual(['stored']);
    expect(parking.parked[0]?.request).toMatchObject({
      reason: 'failed',
      attemptsMade: 1,
      history: [{ attempt: 1, durationMs: 7, outcome: FAILED }],
      decision: { kind: 'retry', delayMs: 5000 },
    });
  });

  test('rejected: what the policy decides is stored', async () => {
    const decision = { kind: 'give-up', reason: 'rejected' } as const;
    const { destination, parking, submit } = bind(setup({ decision }));
    const results = submit(destination);
    destination.at(0).end(REJECTED);
    await pass(0);
    expect(results).toEqual(['stored']);
    expect(parking.parked[0]?.request).toMatchObject({ reason: 'failed', attemptsMade: 1, decision });
  });

  test('interrupted by our own fault: parked, and no attempt is spent', async () => {
    const { destination, parking, submit } = bind(setup());
    submit(destination);
    destination.at(0).end(INTERRUPTED);
    await pass(0);
    expect(parking.parked[0]?.request).toMatchObject({ reason: 'failed', attemptsMade: 0 });
  });

  test('while the store is away the message stays held; once it is closed the delivery is unstored', async () => {
    const { destination, parking, submit } = bind(setup());
    parking.away = true;
    const results = submit(destination);
    destination.at(0).end(FAILED);
    await pass(60_000);
    expect(results).toEqual([]);
    parking.close();
    await pass(0);
    expect(results).toEqual(['unstored']);
  });

  test('its own concurrency is never exceeded, and all get their turn', async () => {
    const { destination, parking, submitMany } = bind(setup({ perDestination: 4 }));
    const results = submitMany(destination, 20);
    expect(destination.attempts).toHaveLength(4);
    for (let index = 0; index < 20; index++) {
      destination.at(index).end(DELIVERED);
      await pass(0);
    }
    expect(destination.peak).toBe(4);
    expect(results).toEqual(results.map(() => ['delivered']));
    expect(parking.parked).toEqual([]);
  });

  test('the limit over all destinations is never exceeded, and destinations take turns', async () => {
    const { submitMany } = bind(setup({ concurrency: 2 }));
    const [crowded, quiet] = [new FakeDestination('webhook:a'), new FakeDestination('webhook:b')];
    submitMany(crowded, 10);
    submitMany(quiet, 1);
    expect(crowded.attempts).toHaveLength(2);
    crowded.at(0).end(DELIVERED);
    await pass(0);
    crowded.at(1).end(DELIVERED);
    await pass(0);
    expect([crowded.attempts.length, quiet.attempts.length]).toEqual([3, 1]);
  });

  const ofInstance = () =>
    new FakeDestination('webhook:instance/loja', 30_000, [{ key: 'loja', part: 0.25 }]);

  test('one delivery of any size is attempted, but no second one that does not fit into memory', async () => {
    const { submit } = bind(setup({ maxBytes: 1000 }));
    const destination = ofInstance();
    const large = (number: number): Buffer => eventBody(number, { data: 'x'.repeat(2000) });
    submit(destination, large(1));
    submit(destination, large(2));
    expect(destination.attempts).toHaveLength(1);
    destination.at(0).end(DELIVERED);
    await pass(0);
    expect(destination.attempts).toHaveLength(2);
  });

  test('room for several starts several: one large delivery does not make those behind it go one by one', async () => {
    const { submit, submitMany } = bind(setup({ maxBytes: 20_000, perDestination: 8 }));
    const destination = ofInstance();
    submit(destination, eventBody(1, { data: 'x'.repeat(20_000) }));
    submitMany(destination, 8);
    expect(destination.attempts).toHaveLength(1);
    destination.at(0).end(DELIVERED);
    await pass(0);
    expect(destination.attempts).toHaveLength(9);
  });
});

describe('what the broker took back while it waited', () => {
  /** One under way, and three that wait: two of a channel that is lost, and one that came later. */
  const setUpLost = (options: PipelineOptions) => {
    const harness = bind(setup({ perDestination: 1, ...options }));
    const { destination, directAttempts, submit } = harness;
    submit(new FakeDestination('webhook:other'));
    submit(destination);
    const channel = { isLost: false };
    const lost: DirectResult[] = [];
    for (const number of [101, 102]) {
      const sink: ResultSink = {
        get isLost() {
          return channel.isLost;
        },
        resolve: (_index, result) => lost.push(result),
      };
      directAttempts.submit(deliveryTo(destination, eventBody(number)), sink, 0);
    }
    const later = submit(destination);
    channel.isLost = true;
    return { ...harness, lost, later };
  };

  test('is not begun when its turn comes: the next one is', async () => {
    const { destination, lost, parking } = setUpLost({});
    destination.at(0).end(DELIVERED);
    await pass(0);
    expect([lost, destination.attempts.length]).toEqual([['untouched', 'untouched'], 2]);
    expect(destination.at(1).delivery.envelope.body).toEqual(eventBody(2));
    expect(parking.parked).toEqual([]);
  });

  test('does not keep its place while nothing ends', async () => {
    const { lost, later } = setUpLost({});
    await pass(100);
    expect([lost, later]).toEqual([['untouched', 'untouched'], []]);
  });

  test('is not parked when the circuit opens: what came later is', async () => {
    const { destination, lost, later, parking } = setUpLost({ circuitFailures: 1 });
    destination.at(0).end(FAILED);
    await pass(0);
    expect([lost, later]).toEqual([['untouched', 'untouched'], ['stored']]);
    expect(parking.reasons.sort()).toEqual(['circuit-open', 'failed']);
  });
});

describe('parked without an attempt', () => {
  test('saturated: as soon as the wait would be too long', async () => {
    const { destination, parking, submit, submitMany } = bind(setup({ perDestination: 2, maxWaitMs: 1000 }));
    submit(new FakeDestination('webhook:other'));
    submitMany(destination, 2);
    await pass(900);
    const waiting = submit(destination);
    expect(parking.parked).toEqual([]);
    submitMany(destination, 5);
    expect(new Set(parking.reasons)).toEqual(new Set(['saturated']));
    expect(parking.parked[0]?.request).toMatchObject({ attemptsMade: 0, history: [] });
    expect(waiting).toEqual([]);
    expect(destination.attempts).toHaveLength(2);
  });

  test('saturated: what has waited too long, although the estimate said otherwise', async () => {
    const { destination, parking, submit } = bind(setup({ perDestination: 1, maxWaitMs: 200 }));
    submit(new FakeDestination('webhook:other'));
    submit(destination);
    const waiting = submit(destination);
    await pass(150);
    expect(waiting).toEqual([]);
    await pass(150);
    expect(waiting).toEqual(['stored']);
    expect(parking.reasons).toContain('saturated');
  });

  test('alone: a destination that nobody else waits behind keeps its messages in the broker', async () => {
    const { destination, parking, submitMany } = bind(setup({ perDestination: 2, maxWaitMs: 1000 }));
    const results = submitMany(destination, 200);
    for (let index = 0; index < 200; index++) {
      await pass(40);
      destination.at(index).end(DELIVERED);
    }
    await pass(0);
    expect(parking.parked).toEqual([]);
    expect(results).toEqual(results.map(() => ['delivered']));
  });

  test('alone: what it does not take for ten times as long is parked', async () => {
    const options = { perDestination: 1, maxWaitMs: 200, slowAfterMs: 60_000 };
    const { destination, parking, submit } = bind(setup(options));
    submit(destination);
    const waiting = submit(destination);
    await pass(1900);
    expect(waiting).toEqual([]);
    await pass(200);
    expect(waiting).toEqual(['stored']);
    expect(parking.reasons).toEqual(['saturated']);
  });

  test('no longer alone: a group has no more messages wait than its part of what the sources hold', () => {
    const { parking, submit, submitMany } = bind(setup({ perDestination: 1, maxHeld: 40 }));
    const shares = [{ key: 'instance loja', part: 0.25 }];
    const [first, second] = ['a', 'b'].map((name) => new FakeDestination(`webhook:${name}`, 30_000, shares));
    submit(new FakeDestination('webhook:other'));
    if (first === undefined || second === undefined) throw new Error('two destinations');
    submitMany(first, 8);
    submitMany(second, 8);
    // Each has an attempt under way; ten of the other fourteen wait.
    expect(parking.parked).toHaveLength(4);
  });

  test('a saturated destination does not hold up another', async () => {
    const { destination, submit, submitMany } = bind(setup({ perDestination: 1 }));
    const other = new FakeDestination('webhook:other');
    submitMany(destination, 50);
    const results = submit(other);
    other.at(0).end(DELIVERED);
    await pass(0);
    expect(results).toEqual(['delivered']);
  });

  test('circuit open: nothing is attempted, and the delivery waits in the line of its destination', async () => {
    const options = { circuitFailures: 3, circuitOpenMs: 30_000 };
    const { destination, parking, submit, submitMany } = bind(setup(options));
    destination.answer = FAILED;
    submitMany(destination, 3);
    await pass(0);
    expect(submit(destination)).toEqual([]);
    await pass(0);
    expect(destination.attempts).toHaveLength(3);
    const last = parking.parked[3]?.request;
    expect(last).toMatchObject({ reason: 'circuit-open', attemptsMade: 0, history: [] });
    expect(last?.decision).toEqual({ kind: 'in-line' });
  });

  test('circuit open: what waited for its turn is parked, not attempted', async () => {
    const { destination, parking, submitMany } = bind(setup({ circuitFailures: 2, perDestination: 2 }));
    const results = submitMany(destination, 6);
    destination.at(0).end(FAILED);
    destination.at(1).end(FAILED);
    await pass(0);
    expect(results).toEqual(results.map(() => ['stored']));
    expect(parking.reasons.filter((reason) => reason === 'circuit-open')).toHaveLength(4);
    expect(destination.attempts).toHaveLength(2);
  });
});

describe('drain', () => {
  test('nothing is begun any more, and what waited goes back untouched', async () => {
    const { destination, parking, directAttempts, submit } = bind(setup({ perDestination: 1 }));
    const [running, waiting] = [submit(destination), submit(destination)];
    directAttempts.drain();
    const late = submit(destination);
    expect([waiting, late]).toEqual([['untouched'], ['untouched']]);
    destination.at(0).end(DELIVERED);
    await pass(0);
    expect(running).toEqual(['delivered']);
    expect(destination.attempts).toHaveLength(1);
    expect(parking.parked).toEqual([]);
  });

  test('shutdown: an attempt that is cut short is parked for at once, and spends nothing', async () => {
    const { destination, parking, directAttempts, attempts, submit } = bind(setup());
    const results = submit(destination);
    directAttempts.drain();
    attempts.interrupt();
    await attempts.idle();
    await pass(0);
    expect(results).toEqual(['stored']);
    expect(parking.parked[0]?.request).toMatchObject({
      reason: 'shutdown',
      attemptsMade: 0,
      decision: { kind: 'retry', delayMs: 0 },
    });
  });

  test('an attempt that fails while draining is parked like any other', async () => {
    const { destination, parking, directAttempts, submit } = bind(setup());
    const results = submit(destination);
    directAttempts.drain();
    destination.at(0).end(FAILED);
    await pass(0);
    expect([results, parking.reasons]).toEqual([['stored'], ['failed']]);
  });
});

/** Methods that may be taken apart from their object. */
function bind(harness: PipelineHarness & { destination: FakeDestination }) {
  return Object.assign(harness, {
    submit: harness.submit.bind(harness),
    submitMany: harness.submitMany.bind(harness),
  });
}
