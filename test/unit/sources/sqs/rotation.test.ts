import { type Poll, type PollResult, Rotation } from '../../../../src/sources/sqs/rotation';

const DEFAULTS = { maxPolls: 50, maxMessages: 250, waitSeconds: 10 };

function setup(queues: number, options = DEFAULTS) {
  const rotation = new Rotation(options);
  for (let index = 0; index < queues; index++) rotation.add(`queue-${index}`, 0);
  return rotation;
}

interface Period {
  readonly from?: number;
  readonly to: number;
  readonly stepMs: number;
  /** What a poll of a queue brings. */
  readonly bring?: (queueUrl: string) => PollResult;
}

/** Lets time pass: the calls by queue, and the longest that any queue went without a look. */
function simulate(rotation: Rotation, { from = 0, to, stepMs, bring = () => 'none' }: Period) {
  let underWay: { poll: Poll; endsAt: number }[] = [];
  const calls = new Map<string, number>();
  const lastLook = new Map<string, number>();
  let longestMs = 0;
  for (let now = from; now < to; now += stepMs) {
    for (const { poll } of underWay.filter(({ endsAt }) => endsAt <= now)) {
      rotation.end(poll, bring(poll.queueUrl), now);
    }
    underWay = underWay.filter(({ endsAt }) => endsAt > now);
    for (let poll = rotation.begin(100, now); poll !== undefined; poll = rotation.begin(100, now)) {
      const { queueUrl, waitSeconds } = poll;
      const endsAt = now + (bring(queueUrl) === 'none' ? Math.max(stepMs, waitSeconds * 1000) : stepMs);
      calls.set(queueUrl, (calls.get(queueUrl) ?? 0) + 1);
      longestMs = Math.max(longestMs, now - (lastLook.get(queueUrl) ?? from));
      lastLook.set(queueUrl, endsAt);
      underWay.push({ poll, endsAt });
    }
  }
  for (const { poll } of underWay) rotation.end(poll, bring(poll.queueUrl), to);
  const total = [...calls.values()].reduce((sum, count) => sum + count, 0);
  return { calls, total, longestMs };
}

describe('few queues', () => {
  test('each have a long poll of their own: a look without a wait first, then one call for each wait', () => {
    const rotation = setup(3);
    const first = rotation.begin(250, 0);
    expect(first?.waitSeconds).toBe(0);
    if (first !== undefined) rotation.end(first, 'none', 0);
    const { total, longestMs } = simulate(rotation, { to: 100_000, stepMs: 100 });
    // Ten each, and the first looks.
    expect(total).toBeLessThanOrEqual(3 * 10 + 3);
    expect(longestMs).toBeLessThanOrEqual(100);
  });

  test('one that fills its batches gets more polls, up to all, and loses them when it is empty', () => {
    const rotation = setup(1);
    const polls: Poll[] = [];
    const beginAll = (now: number): void => {
      for (let poll = rotation.begin(10, now); poll !== undefined; poll = rotation.begin(10, now))
        polls.push(poll);
    };
    beginAll(0);
    expect(polls).toHaveLength(1);
    for (let round = 0; round < 8; round++) {
      for (const poll of polls.splice(0)) rotation.end(poll, 'full', round);
      beginAll(round);
    }
    expect(polls).toHaveLength(DEFAULTS.maxPolls);
    for (const poll of polls.splice(0)) rotation.end(poll, 'none', 10);
    beginAll(10);
    expect(polls).toHaveLength(1);
  });

  test('what idle ones ask for leaves half of the room to busy ones', () => {
    const rotation = setup(20);
    let asked = 0;
    for (let poll = rotation.begin(250, 0); poll !== undefined; poll = rotation.begin(250, 0))
      asked += poll.max;
    expect(asked).toBeLessThanOrEqual(125);
  });
});

describe('many idle queues', () => {
  test.each([
    [100, 5, 21_000],
    [1000, 25, 42_000],
    [2000, 25, 84_000],
  ])('%d: at most %d calls a second, each looked at every %d ms', (count, perSecond, everyMs) => {
    const rotation = setup(count);
    // Until all are known to be idle.
    const from = Math.max(everyMs, 60_000);
    simulate(rotation, { to: from, stepMs: 250 });
    const { total, longestMs } = simulate(rotation, { from, to: from + 2 * everyMs, stepMs: 250 });
    expect(total / ((2 * everyMs) / 1000)).toBeLessThanOrEqual(perSecond * 1.1);
    expect(longestMs).toBeLessThanOrEqual(everyMs);
  });

  test('a busy one among them is polled without a pause, and they are not forgotten', () => {
    const bring = (queueUrl: string): PollResult => (queueUrl === 'queue-7' ? 'full' : 'none');
    const { calls, total } = simulate(setup(200), { to: 30_000, stepMs: 50, bring });
    const busy = calls.get('queue-7') ?? 0;
    expect(busy).toBeGreaterThan(10_000);
    expect(total - busy).toBeGreaterThan(400);
  });
});

describe('a busy queue among 2,000 (finding 9.3)', () => {
  /** What a poll of it brings after it was full: and until when it must be polled again. */
  test.each<[readonly PollResult[], number]>([
    [['failed'], 250],
    [['failed', 'failed'], 750],
    [['failed', 'failed', 'failed'], 1750],
    [['denied'], 250],
    [['some', 'failed'], 250],
    [['full', 'failed', 'full', 'failed'], 500],
  ])('whose polls end %j is polled again within %d ms', (results, withinMs) => {
    const rotation = setup(2000);
    let now = 0;
    // All others were asked just now and had nothing: they are due before it in turn.
    const polls: Poll[] = [];
    for (let asked = 0; asked < 2000; ) {
      for (let poll = rotation.begin(250, now); poll !== undefined; poll = rotation.begin(250, now)) {
        polls.push(poll);
        asked++;
      }
      for (const poll of polls.splice(0)) {
        rotation.end(poll, poll.queueUrl === 'queue-7' ? 'full' : 'none', now);
      }
      now += 1;
    }
    const startedAt = now;
    /** Begins polls until one of the busy queue is among them; those of idle ones stay under way. */
    const pollBusy = (): Poll => {
      for (; now < startedAt + 60_000; now += 10) {
        for (let poll = rotation.begin(10, now); poll !== undefined; poll = rotation.begin(10, now)) {
          if (poll.queueUrl === 'queue-7') return poll;
        }
      }
      throw new Error('it is polled no more');
    };
    for (const result of results) rotation.end(pollBusy(), result, now);
    const endedAt = now;
    pollBusy();
    expect(now - endedAt).toBeLessThanOrEqual(withinMs);
    expect(now - startedAt).toBeLessThanOrEqual(2 * withinMs);
  });

  test('is idle after an answer without a message', () => {
    const rotation = setup(2);
    const poll = rotation.begin(250, 0);
    if (poll === undefined) throw new Error('none is due');
    rotation.end(poll, 'full', 0);
    const again = [rotation.begin(250, 1), rotation.begin(250, 1), rotation.begin(250, 1)];
    for (const each of again) if (each !== undefined) rotation.end(each, 'none', 1);
    expect(rotation.pollsUnderWay).toBe(0);
    expect(
      [rotation.begin(250, 2), rotation.begin(250, 2), rotation.begin(250, 2)].filter(Boolean),
    ).toHaveLength(2);
  });
});

describe('a queue that fails', () => {
  test('for want of a permission is asked again after pauses that grow to a minute, and then without one', () => {
    const rotation = setup(1);
    let now = 0;
    let pause = 0;
    for (let tries = 0; tries < 12; tries++) {
      const poll = rotation.begin(250, now);
      if (poll === undefined) throw new Error('not due');
      rotation.end(poll, 'denied', now);
      pause = rotation.dueInMs(now) ?? 0;
      now += pause;
    }
    expect(pause).toBeGreaterThanOrEqual(48_000);
    const poll = rotation.begin(250, now);
    if (poll !== undefined) rotation.end(poll, 'full', now);
    expect(rotation.begin(250, now)).toBeDefined();
  });

  test('is asked again after pauses that grow to five seconds, without a wait', () => {
    const rotation = setup(1);
    const pauses: number[] = [];
    let now = 0;
    for (let tries = 0; tries < 10; tries++) {
      const poll = rotation.begin(250, now);
      if (poll === undefined) throw new Error('not due');
      expect(poll.waitSeconds).toBe(0);
      rotation.end(poll, 'failed', now);
      const pause = rotation.dueInMs(now) ?? 0;
      pauses.push(pause);
      now += pause;
    }
    expect(pauses[0]).toBeLessThanOrEqual(240);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(4000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(6000);
  });

  test('is asked at once when the service is known to be back', () => {
    const rotation = setup(1);
    const poll = rotation.begin(250, 0);
    if (poll !== undefined) rotation.end(poll, 'failed', 0);
    expect(rotation.begin(250, 1)).toBeUndefined();
    rotation.retryNow(1);
    expect(rotation.begin(250, 1)).toBeDefined();
  });

  test('that is removed while it is polled leaves no trace', () => {
    const rotation = setup(2);
    const polls = [rotation.begin(250, 0), rotation.begin(250, 0)];
    rotation.remove('queue-0');
    for (const poll of polls) if (poll !== undefined) rotation.end(poll, 'none', 0);
    expect([rotation.size, rotation.pollsUnderWay]).toEqual([1, 0]);
    expect(rotation.begin(250, 0)?.queueUrl).toBe('queue-1');
    expect(rotation.begin(250, 0)).toBeUndefined();
  });

  test('that leaves and joins again while it is polled is polled once at a time', () => {
    const rotation = setup(1);
    const old = rotation.begin(250, 0);
    rotation.remove('queue-0');
    rotation.add('queue-0', 1);
    const fresh = rotation.begin(250, 1);
    expect(fresh).toBeDefined();
    if (old !== undefined) rotation.end(old, 'none', 2);
    expect(rotation.begin(250, 3)).toBeUndefined();
    if (fresh !== undefined) rotation.end(fresh, 'none', 4);
    expect([rotation.begin(250, 5), rotation.pollsUnderWay]).toEqual([expect.anything(), 1]);
  });
});

test.each([0, 10])(
  'a service that answers at once where %d s were to be waited is not asked without a pause: calls are billed',
  (waitSeconds) => {
    const rotation = new Rotation({ maxPolls: 10, maxMessages: 100, waitSeconds });
    rotation.add('queue', 0);
    let calls = 0;
    for (let now = 0; now < 60_000; now += 2) {
      const poll = rotation.begin(100, now);
      if (poll === undefined) continue;
      calls++;
      rotation.end(poll, 'none', now + 1);
    }
    expect(calls).toBeGreaterThan(50);
    expect(calls).toBeLessThan(70);
  },
);

test('a long poll that waited is followed by another at once', () => {
  const rotation = new Rotation({ maxPolls: 10, maxMessages: 100, waitSeconds: 10 });
  rotation.add('queue', 0);
  const first = rotation.begin(100, 0);
  if (first !== undefined) rotation.end(first, 'none', 5);
  const second = rotation.begin(100, 5);
  expect(second?.waitSeconds).toBe(10);
  if (second !== undefined) rotation.end(second, 'none', 10_005);
  expect(rotation.begin(100, 10_005)).toBeDefined();
});
