import { MalformedEventError } from '../../src/errors';
import { FAILED, FakeDestination, REJECTED } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';
import { nth } from '../support/values/items';

let harness: StoreHarness;
let destination: FakeDestination;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:global');
});
afterEach(() => harness.close());

const NOTHING = { accepted: 0, delivered: 0, parked: 0, dead: 0, discarded: 0, difference: 0 };

describe('parking', () => {
  test('stores a delivery and counts it as accepted in the same step', async () => {
    await Promise.all(deliveries(destination, 25).map((delivery) => harness.park(delivery)));
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 25, parked: 25 });
    expect(await harness.store.queue.getDelayedCount()).toBe(25);
    expect(harness.parked.all).toHaveLength(25);
  });

  test('the same delivery parked again, as after a redelivery, is one delivery, counted once', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.park(delivery);
    await Promise.all([
      harness.park(delivery),
      harness.park(delivery),
      harness.park(deliveryTo(destination, eventBody(0))),
    ]);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, parked: 1 });
  });

  test('stored several times in one transaction, with its settling in another, it is counted as often as it lies there', async () => {
    const two = deliveries(destination, 2);
    const [delivery, other] = [nth(two, 0), nth(two, 1)];
    await Promise.all([harness.park(delivery), harness.park(delivery)]);
    // What has no body is stored first (commit-turns.ts).
    await Promise.all([
      harness.park(delivery),
      harness.parking.delivered(delivery),
      harness.park(delivery),
      harness.park(other),
    ]);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 3, delivered: 1, parked: 2 });
  });

  test('job data names the destination, and holds neither its URL nor any secret', async () => {
    const secretive = Object.assign(new FakeDestination('webhook:global'), {
      url: 'https://user:s3cret@hooks.example.test/s3cret',
      headers: { authorization: 's3cret' },
      signingSecrets: ['s3cret'],
    });
    await harness.park(deliveryTo(secretive));
    await harness.bury([deliveryTo(secretive, eventBody(2))]);
    const dump = await harness.dump();
    expect(dump).toContain('webhook:global');
    expect(dump).not.toMatch(/s3cret|https?:|hooks\.example/);
  });

  test('a delivery that was withdrawn in time is neither stored nor counted', async () => {
    const ticket = harness.parking.park({
      delivery: deliveryTo(destination),
      reason: 'slow',
      attemptsMade: 1,
      history: [],
      decision: { kind: 'retry', delayMs: 1000 },
    });
    ticket.withdraw();
    expect(await ticket.settled).toBe('withdrawn');
    expect(await harness.audit()).toEqual([]);
    expect(harness.parked.all).toEqual([]);
  });

  test('everything of one relay lies in one slot of a cluster', async () => {
    await harness.park(deliveryTo(destination));
    const names = await harness.keyNames();
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) expect(name).toMatch(new RegExp(`^\\{${harness.prefix}\\}:`));
  });
});

describe('a slow attempt', () => {
  const slow = { reason: 'slow', history: [] } as const;

  test('that is delivered after all removes its job and counts as delivered, once', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.park(delivery, slow);
    await harness.parking.delivered(delivery);
    await harness.parking.delivered(delivery);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, delivered: 1 });
    expect(await harness.store.queue.getJob(delivery.id)).toBeUndefined();
    expect((await harness.keyNames()).filter((name) => name.includes(delivery.id))).toEqual([]);
  });

  test('that fails gets its history, and its retry becomes due by the policy', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.park(delivery, slow);
    await harness.parking.failed(delivery, { attempt: 1, at: 1, durationMs: 2, outcome: FAILED });
    const { logs } = await harness.store.queue.getJobLogs(delivery.id);
    expect(logs.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ attempt: 1, outcome: FAILED }]);
    const job = await harness.store.queue.getJob(delivery.id);
    expect(job?.delay).toBe(1);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, parked: 1 });
  });

  test('that was refused for good becomes a dead letter', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.park(delivery, slow);
    await harness.parking.failed(delivery, { attempt: 1, at: 1, durationMs: 2, outcome: REJECTED });
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 1, dead: 1, parked: 0, difference: 0 });
    expect(destination.attempts).toEqual([]);
    const letter = await harness.deadLetters.show(delivery.id);
    expect(letter).toMatchObject({ reason: 'rejected', history: [{ outcome: REJECTED }] });
  });

  test('whose job is gone meanwhile changes nothing', async () => {
    const delivery = nth(deliveries(destination, 1), 0);
    await harness.parking.failed(delivery, { attempt: 1, at: 1, durationMs: 2, outcome: FAILED });
    await harness.parking.delivered(delivery);
    expect(await harness.audit()).toEqual([]);
  });
});

describe('a malformed message', () => {
  const error = new MalformedEventError('BODY_NOT_UTF8', 'no');
  const body = Buffer.from([0xff, 0x00, 0x7b]);

  test('is dead-lettered raw, once however often it comes, and counted', async () => {
    harness.startWorker({ destinations: [destination] });
    const origin = { routingKey: 'a.call', instance: 'a' };
    for (let time = 0; time < 3; time++) await harness.parking.buryMalformed(body, origin, error);
    await harness.untilLine('none', { accepted: 1, dead: 1, difference: 0 });
    await harness.parking.buryMalformed(body, origin, error);
    await harness.untilLine('none', { accepted: 1, dead: 1, difference: 0 });
    const letters = [];
    for await (const letter of harness.deadLetters.list()) letters.push(letter);
    expect(letters).toMatchObject([
      { reason: 'malformed', detail: 'BODY_NOT_UTF8', destination: 'none', bytes: 3 },
    ]);
    const shown = await harness.deadLetters.show(nth(letters, 0).id);
    expect(shown?.body.equals(body)).toBe(true);
  });

  test('cannot be replayed, but removed', async () => {
    harness.startWorker();
    await harness.parking.buryMalformed(body, { routingKey: '' }, error);
    await harness.untilLine('none', { dead: 1 });
    const ids: string[] = [];
    for await (const { id } of harness.deadLetters.list()) ids.push(id);
    expect(await harness.deadLetters.replay(nth(ids, 0))).toBe('malformed');
    expect(await harness.deadLetters.remove(nth(ids, 0))).toBe(true);
    expect(await harness.line('none')).toEqual({ ...NOTHING, accepted: 1, discarded: 1 });
  });
});

describe('the ledger', () => {
  test('counts what was delivered directly as accepted and delivered, per destination', async () => {
    const other = new FakeDestination('webhook:other');
    harness.ledger.countDelivered(deliveries(destination, 3));
    harness.ledger.countDelivered([...deliveries(destination, 2), ...deliveries(other, 1)]);
    await harness.ledger.flush();
    await harness.ledger.flush();
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 5, delivered: 5 });
    expect(await harness.line(other)).toEqual({ ...NOTHING, accepted: 1, delivered: 1 });
  });
});
