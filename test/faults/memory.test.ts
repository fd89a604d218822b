import { createCipheriv, createHash } from 'node:crypto';
import type { OutgoingEvent } from '../support/publisher';
import { answering, Receiver } from '../support/receiver';
import { Scenario } from '../support/scenario';

jest.setTimeout(180_000);

const EVENTS = 60;
const BYTES = 8 * 1024 * 1024;
const LIMIT_IN_FLIGHT = 32 * 1024 * 1024;
const LIMIT_RESIDENT = 450 * 1024 * 1024;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Text that no compression makes smaller, the same for the same index. */
function noise(index: number): string {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, index), Buffer.alloc(16));
  return cipher.update(Buffer.alloc((BYTES * 3) / 4)).toString('base64');
}

/** What is published, and what must arrive (interface.md: order of keys, `destination` added). */
function textOf(index: number, url?: string): Buffer {
  const start = `{"event":"messages.upsert","instance":"big","data":{"id":${index},"media":"${noise(index)}"}`;
  const destination = url === undefined ? '' : `,"destination":${JSON.stringify(url)}`;
  return Buffer.from(`${start}${destination},"date_time":"2026-01-01T00:00:00.000Z","apikey":null}`);
}

describe('large payloads', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  const publishBig = async (env: Readonly<Record<string, string>>, answerMs: number): Promise<number> => {
    // The whole body is the key: one byte that differs is an event that was never published.
    const receiver = await Receiver.start(sha256);
    receiver.behaviour = answering(200, answerMs);
    scenario = await Scenario.start({
      receiver,
      env: { ...env, DELIVERY_MAX_BYTES_IN_FLIGHT: String(LIMIT_IN_FLIGHT) },
    });
    const worker = await scenario.startWorker();
    const events: OutgoingEvent[] = [];
    for (let index = 0; index < EVENTS; index++) {
      const key = sha256(textOf(index, receiver.url));
      events.push({ key, routingKey: 'messages.upsert', body: () => textOf(index) });
    }
    await scenario.publishEvents(events);
    await scenario.untilAllAccepted(120_000);
    return worker.peakBytes;
  };

  test('pass byte for byte through bounded memory', async () => {
    const peak = await publishBig({ DELIVERY_SLOW_AFTER_MS: '5000' }, 300);
    process.stdout.write(`fault ${EVENTS} × 8 MB: peak resident ${Math.round(peak / 2 ** 20)} MB\n`);
    const { duplicates } = await scenario.conclude(`${EVENTS} × 8 MB, receiver takes 300 ms`);
    expect(duplicates).toBe(0);
    expect(peak).toBeLessThan(LIMIT_RESIDENT);
  });

  test('pass through bounded memory also while every one of them is parked as slow', async () => {
    const peak = await publishBig({ DELIVERY_SLOW_AFTER_MS: '200' }, 1500);
    process.stdout.write(`fault ${EVENTS} × 8 MB slow: peak resident ${Math.round(peak / 2 ** 20)} MB\n`);
    const { duplicates } = await scenario.conclude(`${EVENTS} × 8 MB, receiver takes 1.5 s`);
    expect(duplicates).toBe(0);
    expect(peak).toBeLessThan(LIMIT_RESIDENT);
  });
});
