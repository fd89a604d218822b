import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { OutgoingEvent } from '../support/clients/publisher';
import { provided } from '../support/harness/provided';
import { Scenario, WEBHOOK } from '../support/harness/scenario';
import { everyNth, Receiver } from '../support/servers/receiver';
import { eventually } from '../support/signals/signals';

jest.setTimeout(300_000);

const LANES = 1000;
const ROUNDS = 6;

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

/** Order begins when every worker knows that it is ordered, and holds nothing of before (docs/order.md). */
async function untilOrdered(prefix: string): Promise<void> {
  const redis = new Redis(provided('REDIS_URI'));
  try {
    await eventually(
      async () => {
        const state = await redis.hget(`{${prefix}}:order`, WEBHOOK);
        const unclean = await redis.exists(`{${prefix}}:order:unclean:${WEBHOOK}`);
        return state?.startsWith('ordered') && unclean === 0 ? true : undefined;
      },
      'the destination is ordered',
      60_000,
    );
  } finally {
    redis.disconnect();
  }
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
});
