import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { OutgoingEvent } from '../support/clients/publisher';
import { provided } from '../support/harness/provided';
import { Scenario, WEBHOOK } from '../support/harness/scenario';
import { everyNth, Receiver } from '../support/servers/receiver';
import { eventually } from '../support/signals/signals';

jest.setTimeout(300_000);

const LANES = 1000;
const ROUNDS = 4;

/** Events of many chats, in turn: `lane/number` is their key. */
function eventsOf(name: string, rounds: number, first = 0): OutgoingEvent[] {
  const events: OutgoingEvent[] = [];
  for (let round = first; round < first + rounds; round++) {
    for (let lane = 0; lane < LANES; lane++) {
      const key = `${name}-${lane}/${round}`;
      const data = {
        key: { remoteJid: `55${lane}@s.whatsapp.net`, id: key, fromMe: false },
        messageType: 'conversation',
      };
      const body = Buffer.from(
        JSON.stringify({
          event: 'messages.upsert',
          instance: 'loja',
          data,
          date_time: '2025-11-26T10:00:00.000Z',
        }),
      );
      events.push({ key, routingKey: 'messages.upsert', body: () => body });
    }
  }
  return events;
}

/** Lanes whose events did not arrive for the first time in the order of their numbers. */
function outOfOrder(firstArrivals: readonly string[]): string[] {
  const last = new Map<string, number>();
  const wrong: string[] = [];
  for (const key of firstArrivals) {
    const [lane = '', number = ''] = key.split('/');
    if (Number(number) < (last.get(lane) ?? -1)) wrong.push(`${key} after ${last.get(lane)}`);
    last.set(lane, Math.max(Number(number), last.get(lane) ?? -1));
  }
  return wrong;
}

async function withRedis<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(provided('REDIS_URI'));
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Order begins when every worker knows that it is ordered, and holds nothing of before (docs/order.md). */
async function untilOrdered(prefix: string): Promise<void> {
  await withRedis((redis) =>
    eventually(
      async () => {
        const state = await redis.hget(`{${prefix}}:order`, WEBHOOK);
        const unclean = await redis.exists(`{${prefix}}:order:unclean:${WEBHOOK}`);
        return state?.startsWith('ordered') && unclean === 0 ? true : undefined;
      },
      'the destination is ordered',
      120_000,
    ),
  );
}

describe('an ordered webhook', () => {
  let scenario: Scenario;
  afterEach(() => scenario.close());

  test('gets every lane in its order through failures, kills, a freeze and restarts, with three workers', async () => {
    scenario = await Scenario.start({
      env: { WEBHOOK_GLOBAL_ORDERED: 'chat', ORDERED_MAX_AGE_SECONDS: '600' },
      receiver: await Receiver.start(),
    });
    const { receiver, name } = scenario;
    const [first, second] = [await scenario.startWorker(), await scenario.startWorker()];
    await scenario.startWorker();
    await untilOrdered(name);
    receiver.behaviour = everyNth(5, 1, { status: 503 });
    const publishing = scenario.publishEvents(eventsOf(name, ROUNDS), 1500);
    await scenario.untilAccepted(800);
    await first.kill();
    await scenario.startWorker();
    await scenario.untilAccepted(2000, 120_000);
    second.signal('SIGSTOP');
    await delay(3000);
    second.signal('SIGCONT');
    await scenario.untilAccepted(3000, 120_000);
    await second.kill();
    const fourth = await scenario.startWorker();
    await publishing;
    fourth.signal('SIGTERM');
    await fourth.ended(20_000);
    await scenario.startWorker();
    await scenario.conclude('order: kill -9, freeze, restart, 20 % failures', 180_000);
    expect(outOfOrder(receiver.firstArrivals)).toEqual([]);
  });

  test('keeps the order of every lane when the worker that has the queue freezes until another one has it, and goes on', async () => {
    scenario = await Scenario.start({
      env: { WEBHOOK_GLOBAL_ORDERED: 'chat', ORDERED_MAX_AGE_SECONDS: '600' },
      receiver: await Receiver.start(),
    });
    const { receiver, name } = scenario;
    // The first one to consume the ordered queue is the one that gets its messages.
    const holder = await scenario.startWorker();
    await untilOrdered(name);
    await Promise.all([scenario.startWorker(), scenario.startWorker()]);
    receiver.behaviour = everyNth(5, 1, { status: 503 });
    const publishing = scenario.publishEvents(eventsOf(name, ROUNDS), 1500);
    await scenario.untilAccepted(800);
    holder.signal('SIGSTOP');
    // Retries of what is parked are made by all; the last round comes from the queue alone.
    const isLastRound = (key: string): boolean => key.endsWith(`/${ROUNDS - 1}`);
    const hasTakenOver = (): boolean => receiver.firstArrivals.filter(isLastRound).length > LANES / 2;
    await receiver.until(hasTakenOver, 180_000, 'another worker to have the ordered queue');
    holder.signal('SIGCONT');
    await publishing;
    await scenario.conclude('order: a freeze until another worker has the queue', 180_000);
    expect(outOfOrder(receiver.firstArrivals)).toEqual([]);
  });

  test('an event that fails for good holds up its own lane alone, and the next one of it says which is missing', async () => {
    scenario = await Scenario.start({
      env: { WEBHOOK_GLOBAL_ORDERED: 'chat', ORDERED_MAX_AGE_SECONDS: '25' },
      receiver: await Receiver.start(),
    });
    const { receiver, name } = scenario;
    await Promise.all([scenario.startWorker(), scenario.startWorker()]);
    await untilOrdered(name);
    const missing = `${name}-0/0`;
    receiver.behaviour = ({ key }) => ({ status: key === missing ? 503 : 200 });
    await scenario.publishEvents(eventsOf(name, 3));
    await scenario.untilAccepted(3 * LANES - 1, 120_000);
    expect(outOfOrder(receiver.firstArrivals)).toEqual([]);
    const ofItsLane = receiver.firstArrivals.filter((key) => key.startsWith(`${name}-0/`));
    expect(ofItsLane).toEqual([`${name}-0/1`, `${name}-0/2`]);
    // All other lanes were done with before.
    expect(receiver.firstArrivals.slice(-2)).toEqual(ofItsLane);
    const [id] = receiver.tallies.get(missing)?.webhookIds ?? [];
    const gaps = [...receiver.tallies].flatMap(([key, { laneGaps }]) => laneGaps.map((gap) => [key, gap]));
    expect(gaps).toEqual([[`${name}-0/1`, id]]);
    expect(await scenario.audit()).toMatchObject({ dead: 1, parked: 0 });
  });

  test('what a worker may have held that is gone comes by the other queue only until a marker has passed', async () => {
    scenario = await Scenario.start({
      env: { WEBHOOK_GLOBAL_ORDERED: 'chat' },
      receiver: await Receiver.start(),
    });
    const { name } = scenario;
    await Promise.all([scenario.startWorker(), scenario.startWorker()]);
    await untilOrdered(name);
    // As after a kill of which nobody has heard for so long that all it held has gone back.
    await withRedis((redis) => redis.sadd(`{${name}}:order:unclean:${WEBHOOK}`, 'gone'));
    await untilOrdered(name);
    const swept = await withRedis((redis) => redis.hexists(`{${name}}:order:swept`, WEBHOOK));
    expect(swept).toBe(1);
  });
});
