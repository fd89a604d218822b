import { instanceOf } from '../../../src/destinations/destination-ids';
import { parseEnvelope } from '../../../src/events/envelope';
import {
  type AttemptRecord,
  type Delivery,
  type Destination,
  type DestinationId,
  deliveryId,
  destinationKey,
} from '../../../src/pipeline/delivery';
import type { ParkRequest } from '../../../src/pipeline/parking';
import { connectRedis } from '../../../src/redis/client';
import { BullMqParking } from '../../../src/retry/bullmq-parking';
import { GroupCommit } from '../../../src/retry/group-commit';
import { RetryStore } from '../../../src/retry/retry-store';
import { Shares } from '../../../src/retry/shares';
import { StoredDeliveries } from '../../../src/retry/stored-deliveries';
import { redisConfig } from '../../support/values/redis-config';
import { runParking, UNDER_WAY } from './parking-run';
import { redisSettings } from './settings';

const DELAY_MS = 600_000;
const DESTINATION: Destination = {
  id: 'webhook:global' as DestinationId,
  kind: 'webhook',
  maxAttempts: 10,
  timeoutMs: 30_000,
  shares: [],
  close: async () => {},
  start: () => {
    throw new Error('nothing is delivered here');
  },
};
const KEY = destinationKey(DESTINATION.id);
/** With `failed` each delivery has a failed attempt in its history; otherwise none was made, as in an outage. */
const FAILED = process.argv.includes('failed');

function requestFor(delivery: Delivery): ParkRequest {
  const decision = { kind: 'retry', delayMs: DELAY_MS } as const;
  if (!FAILED) return { delivery, reason: 'circuit-open', attemptsMade: 0, history: [], decision };
  const record: AttemptRecord = {
    attempt: 1,
    at: Date.now(),
    durationMs: 12,
    outcome: { kind: 'failed', code: 'HTTP_503', status: 503, answer: 'Service Unavailable' },
  };
  return { delivery, reason: 'failed', attemptsMade: 1, history: [record], decision };
}

runParking(async () => {
  const { redis: uri, redisPrefix: prefix } = redisSettings();
  const fail = (error: unknown): never => {
    throw error;
  };
  const redis = connectRedis(redisConfig(uri, prefix), 'commands', fail);
  const store = new RetryStore({ redis, prefix, onError: fail });
  const parking = new BullMqParking({
    deliveries: new StoredDeliveries({ store, commit: new GroupCommit(store, fail), worker: 'bench' }),
    shares: new Shares({ limits: { perInstance: 1e9, perGlobalDestination: 1e9 }, instanceOf }),
    decide: () => ({ kind: 'retry', delayMs: DELAY_MS }),
    observer: { superseded: () => {}, parked: () => {}, deadLettered: () => {} },
  });
  await store.waitUntilReady();
  return {
    prepare: (body) => {
      const envelope = parseEnvelope(body, { routingKey: 'messages.upsert' });
      return requestFor({ id: deliveryId(envelope.id, KEY), envelope, destination: DESTINATION });
    },
    // As in the relay: whenever one is stored its message is released and the next one comes.
    park: async (requests) => {
      const rest = requests.values();
      const parkRest = async (): Promise<void> => {
        for (const request of rest) await parking.park(request).settled;
      };
      await Promise.all(Array.from({ length: UNDER_WAY }, parkRest));
    },
  };
});
