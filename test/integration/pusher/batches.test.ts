import { kinds, numbered, numberOf, PusherScene } from '../../support/pusher/scene';
import { Happenings, turns, within } from '../../support/signals/signals';
import { deliveryTo, eventBody } from '../../support/values/events';

let scene: PusherScene;
beforeEach(async () => {
  scene = await PusherScene.open();
});
afterEach(() => scene.close());

describe('batches of the Pusher destination', () => {
  test('what comes together is sent by tens', async () => {
    const outcomes = await Promise.all(numbered(30).map((body) => scene.deliver(body)));
    expect(kinds(outcomes)).toEqual(outcomes.map(() => 'delivered'));
    expect(scene.server.requests.all.map(({ events }) => events)).toEqual([10, 10, 10]);
  });

  test('an event that is alone does not wait for others longer than the linger', async () => {
    scene.create({ app: { lingerMs: 0 } });
    await scene.deliver();
    expect(scene.server.requests.all.map(({ events }) => events)).toEqual([1]);
  });

  test('events of one channel never overtake each other, those of others need not wait for them', async () => {
    scene.server.misbehaviour = ({ body }) =>
      body.includes('"channel":"slow"') ? { lateMs: 30 } : undefined;
    const bodies = [...numbered(50, 'slow'), ...numbered(50, 'fast')];
    const outcomes = await Promise.all(bodies.map((body) => scene.deliver(body)));
    expect(kinds(outcomes)).toEqual(outcomes.map(() => 'delivered'));
    for (const channel of ['slow', 'fast']) {
      const numbers = scene.server.published.all
        .filter((event) => event.channel === channel)
        .map(({ data }) => numberOf(data));
      expect(numbers).toEqual(Array.from({ length: 50 }, (_, number) => String(number)));
    }
  });

  test('one that Pusher blames fails alone; the other nine arrive, in order', async () => {
    // The plan of this app takes less than is configured here.
    const bodies = numbered(10);
    bodies[6] = eventBody(6, { data: { key: { id: '3EB06' }, text: 'x'.repeat(11_000) } });
    scene.create({ options: { maxEventBytes: 20_000 } });
    const outcomes = await Promise.all(bodies.map((body) => scene.deliver(body)));
    expect(kinds(outcomes).map((kind) => kind === 'delivered')).toEqual(bodies.map((_, n) => n !== 6));
    expect(outcomes[6]).toEqual({
      kind: 'rejected',
      code: 'HTTP_413',
      status: 413,
      reason: 'oversize',
      answer: expect.stringContaining('10240'),
    });
    const numbers = scene.server.published.all.map(({ data }) => numberOf(data));
    expect(numbers).toEqual(['0', '1', '2', '3', '4', '5', '7', '8', '9']);
  });

  test('all of them poisoned: each is told so, and none is sent for ever', async () => {
    scene.create({ options: { maxEventBytes: 20_000 } });
    const bodies = Array.from({ length: 10 }, (_, n) => eventBody(n, { data: `${n}${'x'.repeat(11_000)}` }));
    const outcomes = await Promise.all(bodies.map((body) => scene.deliver(body)));
    expect(kinds(outcomes)).toEqual(outcomes.map(() => 'rejected'));
    expect(scene.server.requests.all.length).toBeLessThanOrEqual(19);
  });

  test('a failure of the request is one of each of its events', async () => {
    scene.server.misbehaviour = () => ({ status: 503, headers: { 'retry-after': '7' } });
    const outcomes = await Promise.all(numbered(10).map((body) => scene.deliver(body)));
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ kind: 'failed', code: 'HTTP_503', retryAfterMs: 7000 });
    expect(scene.server.requests.all).toHaveLength(1);
  });

  test('one that is aborted ends at once; the others of its request go on', async () => {
    scene.server.misbehaviour = () => ({ lateMs: 50 });
    const running = numbered(10).map((body) => scene.destination.start(deliveryTo(scene.destination, body)));
    await scene.server.requests.count(1);
    running[0]?.abort('timeout');
    const outcomes = await Promise.all(running.map(({ outcome }) => outcome));
    expect(outcomes[0]).toMatchObject({ kind: 'failed', code: 'TIMEOUT' });
    expect(kinds(outcomes.slice(1))).toEqual(Array.from({ length: 9 }, () => 'delivered'));
  });

  test('waiting in line takes no time from the request', async () => {
    scene.create({ app: { timeoutMs: 100 } });
    scene.server.misbehaviour = () => 'hang';
    const running = numbered(11).map((body) => scene.destination.start(deliveryTo(scene.destination, body)));
    await scene.server.requests.count(1);
    const look = (now: number) => running.map((each) => each.look?.(now));
    const ended: unknown[] = [];
    for (const { outcome } of running) void outcome.then((how) => ended.push(how));
    look(0);
    look(99);
    await turns();
    expect(ended).toEqual([]);
    look(100);
    const outcomes = await Promise.all(running.map(({ outcome }) => outcome));
    expect(outcomes[0]).toMatchObject({ kind: 'failed', code: 'TIMEOUT' });
    expect(outcomes[10]).toEqual({ kind: 'interrupted', code: 'NOT_SENT' });
  });

  test('one that only ever waited in line was not tried: it spends no attempt', async () => {
    scene.server.misbehaviour = () => 'hang';
    const running = numbered(11).map((body) => scene.destination.start(deliveryTo(scene.destination, body)));
    await scene.server.requests.count(1);
    for (const each of running) each.abort('timeout');
    const outcomes = await Promise.all(running.map(({ outcome }) => outcome));
    expect(outcomes[10]).toEqual({ kind: 'interrupted', code: 'NOT_SENT' });
    expect(outcomes.slice(0, 10)).toEqual(
      Array.from({ length: 10 }, () => ({ kind: 'failed', code: 'TIMEOUT', overloaded: true })),
    );
  });

  test('a shutdown while Pusher blames events ends all of them', async () => {
    scene.create({ options: { maxEventBytes: 20_000 } });
    const blamed = new Happenings<number>();
    scene.server.misbehaviour = ({ events }) => {
      blamed.add(events);
      return events === 10 ? undefined : 'hang';
    };
    const bodies = Array.from({ length: 10 }, (_, n) => eventBody(n, { data: 'x'.repeat(11_000 + n) }));
    const running = bodies.map((body) => scene.destination.start(deliveryTo(scene.destination, body)));
    await scene.server.requests.count(2);
    for (const each of running) each.abort('shutdown');
    const outcomes = await within(Promise.all(running.map(({ outcome }) => outcome)), 1000, () => 'the end');
    for (const outcome of outcomes) expect(outcome).toEqual({ kind: 'interrupted', code: 'SHUTDOWN' });
    expect(blamed.all).toEqual([10, 5]);
  });
});
