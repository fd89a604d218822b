import { Redis } from 'ioredis';
import { Scenario } from '../harness/scenario';
import { eventually } from '../signals/signals';
import { type RedisImage, takeImage } from './redis-image';

/** Nothing is too old, however long ago it was stored. */
export const AGELESS = {
  PARKED_MAX_AGE_DAYS: '3650',
  DEAD_LETTER_MAX_AGE_DAYS: '3650',
  ORDERED_MAX_AGE_SECONDS: '86400',
  DELIVERY_LOG_SECONDS: '31536000',
  SUSPEND_AFTER_HOURS: '0',
};

export const ORDERED_INSTANCE = 'loja-ordenada';

/** What a release leaves behind in Redis, made by the program itself. */
export interface StoredWorld {
  /** Keys of events that are parked. */
  readonly parked: readonly string[];
  /** Keys of events whose deliveries were refused for good. */
  readonly refused: readonly string[];
  readonly redis: RedisImage;
}

/** Parked deliveries, a lane, dead letters, settings, a delivery log and a destination that fails: then the worker is stopped. */
export async function makeStoredWorld(): Promise<StoredWorld> {
  const scenario = await Scenario.start({
    env: { ...AGELESS, WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '60', WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' },
  });
  const redis = new Redis(scenario.env['REDIS_URI'] ?? '');
  try {
    scenario.receiver.behaviour = ({ key }) => ({
      status: key.includes('refused') ? 400 : key.includes('first') ? 200 : 503,
    });
    await scenario.command(
      ...['settings', 'set', ORDERED_INSTANCE],
      JSON.stringify({
        token: 'token-of-the-shop',
        webhook: { url: `${scenario.receiver.url}/ordered`, ordered: 'instance' },
      }),
    );
    await scenario.startWorker();
    await untilOrdered(scenario, redis);
    const refused = [`${scenario.name}-refused`];
    const parked = Array.from({ length: 6 }, (_, index) => `${scenario.name}-${index}`);
    const events = [...refused, ...parked].map((key, index) =>
      eventOf(key, index < 4 ? 'loja-centro' : ORDERED_INSTANCE),
    );
    await scenario.publishEvents([
      ...events,
      { key: 'malformed', routingKey: 'call', body: () => Buffer.from('no event') },
    ]);
    await eventually(async () => {
      const line = await scenario.audit();
      return line.parked + line.dead === parked.length + refused.length ? true : undefined;
    }, 'all are stored');
    await scenario.stopWorkers();
    const image = await takeImage(redis, scenario.name);
    return { parked, refused, redis: withoutAddress(image, scenario.receiver.url) };
  } finally {
    redis.disconnect();
    await scenario.close();
  }
}

function eventOf(key: string, instance: string) {
  const body = {
    event: 'messages.upsert',
    instance,
    data: {
      key: { id: key, remoteJid: '5511988887777@s.whatsapp.net', fromMe: false },
      message: { conversation: 'oi' },
    },
    date_time: '2026-11-27T00:00:00.000Z',
    sender: '5511900000001@s.whatsapp.net',
    apikey: null,
  };
  return { key, routingKey: 'messages.upsert', body: () => Buffer.from(JSON.stringify(body)) };
}

/** Order is kept from the moment on at which both queues have said so. */
async function untilOrdered(scenario: Scenario, redis: Redis): Promise<void> {
  await scenario.publishEvents([eventOf(`${scenario.name}-first`, ORDERED_INSTANCE)]);
  await eventually(
    async () => {
      const states = await redis.hvals(`{${scenario.name}}:order`);
      return states.some((state) => state.startsWith('ordered')) ? true : undefined;
    },
    'the destination is ordered',
    60_000,
  );
}

/** The receiver has another address whenever the image is used. */
function withoutAddress(image: RedisImage, url: string): RedisImage {
  return JSON.parse(JSON.stringify(image).replaceAll(url, RECEIVER)) as RedisImage;
}

export const RECEIVER = 'http://receiver.invalid/hook';
