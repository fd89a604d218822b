import { createCipheriv, createHash } from 'node:crypto';
import type { OutgoingEvent } from '../support/clients/publisher';
import { Scenario } from '../support/harness/scenario';
import type { Environment } from '../support/processes/relay';
import { answering, type Behaviour, Receiver } from '../support/servers/receiver';

jest.setTimeout(180_000);

const MIB = 2 ** 20;
const BYTES = 8 * MIB;
const LIMIT_IN_FLIGHT = 32 * MIB;
/** About what 32 MiB of bodies cost in all their forms, on top of what the process takes anyway. */
const LIMIT_RESIDENT = 500 * MIB;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Text that no compression makes smaller, the same for the same index. */
function noise(index: number): string {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, index), Buffer.alloc(16));
  return cipher.update(Buffer.alloc((BYTES * 3) / 4)).toString('base64');
}

/** What is published, and with the global webhook's URL what must arrive (docs/core-api.md#order-of-the-keys). */
function bodyOf(index: number, url?: string): Buffer {
  const start = `{"event":"messages.upsert","instance":"big","data":{"id":${index},"media":"${noise(index)}"}`;
  const destination = url === undefined ? '' : `,"destination":"${url}/messages-upsert"`;
  return Buffer.from(`${start}${destination},"date_time":"2026-01-01T00:00:00.000Z","apikey":null}`);
}

describe('payloads of 8 MB, limited to 32 MB in flight', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  async function begin(behaviour: Behaviour, env: Environment): Promise<void> {
    // The whole body is the key: an event that arrives with one byte changed is one that nobody published.
    const receiver = await Receiver.start({ keyOf: sha256 });
    receiver.behaviour = behaviour;
    scenario = await Scenario.start({
      receiver,
      env: { DELIVERY_MAX_BYTES_IN_FLIGHT: String(LIMIT_IN_FLIGHT), ...env },
    });
  }

  function events(count: number): OutgoingEvent[] {
    return Array.from({ length: count }, (_, index) => ({
      key: sha256(bodyOf(index, scenario.receiver.url)),
      routingKey: 'messages.upsert',
      body: () => bodyOf(index),
    }));
  }

  async function check(what: string, peaks: readonly number[]): Promise<void> {
    const { duplicates } = await scenario.conclude(what);
    const peak = Math.max(...peaks);
    process.stdout.write(`fault ${what}: peak resident ${Math.round(peak / MIB)} MiB\n`);
    expect(duplicates).toBe(0);
    expect(peak).toBeLessThan(LIMIT_RESIDENT);
  }

  test('pass byte for byte through bounded memory to a slow receiver', async () => {
    await begin(answering(200, 300), { DELIVERY_SLOW_AFTER_MS: '5000' });
    const worker = await scenario.startWorker();
    await scenario.publishEvents(events(40));
    await scenario.untilAllAccepted(120_000);
    await check('40 × 8 MB', [worker.peakBytes]);
  });

  test('pass through bounded memory when their requests take so long that they are parked as slow', async () => {
    let requests = 0;
    await begin(() => ({ status: 200, afterMs: ++requests <= 6 ? 6000 : 50 }), {
      DELIVERY_SLOW_AFTER_MS: '200',
    });
    const worker = await scenario.startWorker();
    await scenario.publishEvents(events(14));
    await scenario.untilAllAccepted(120_000);
    expect(await worker.metric('relay_parked_total{destination="webhook",reason="slow"}')).toBeGreaterThan(0);
    // A slow request keeps its body although its message is released.
    expect(scenario.receiver.peakOpen * BYTES).toBeLessThanOrEqual(LIMIT_IN_FLIGHT);
    await check('14 × 8 MB, parked as slow', [worker.peakBytes]);
  });

  test('come back from Redis through bounded memory when all are due at once', async () => {
    const count = 15;
    await begin(answering(503), {
      CIRCUIT_FAILURES: '1000000',
      WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '3600',
      WEBHOOK_RETRY_MAX_DELAY_SECONDS: '3600',
    });
    const first = await scenario.startWorker();
    await scenario.publishEvents(events(count));
    await scenario.untilAudited(({ parked }) => parked === count, undefined, 120_000);
    const peaks = [first.peakBytes];
    await scenario.stopWorkers();

    scenario.receiver.behaviour = answering(200, 50);
    await scenario.makeDue();
    const second = await scenario.startWorker();
    await scenario.untilAllAccepted(120_000);
    await check('15 × 8 MB due at once', [...peaks, second.peakBytes]);
  });
});
