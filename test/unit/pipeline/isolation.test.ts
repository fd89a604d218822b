import type { DestinationId } from '../../../src/pipeline/delivery';
import type { Share } from '../../../src/pipeline/places';
import { DELIVERED, FakeDestination, PipelineHarness } from '../../support/harness/pipeline-harness';
import { eventBody } from '../../support/values/events';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** With whom a webhook of an instance shares (destinations/shares-of.ts). */
function sharesIn(instance: string, host: string): Share[] {
  return [
    { key: `instance ${instance}`, part: 0.25 },
    { key: 'instances', part: 0.75, isOfAll: true },
    { key: `origin ${host}`, part: 0.25 },
  ];
}

const webhookOf = (instance: string, host = instance): FakeDestination =>
  new FakeDestination(`webhook:instance/${instance}` as DestinationId, 30_000, sharesIn(instance, host));

test('a healthy line behind 64 blocked ones gets its turn when its own attempt ends', async () => {
  const harness = new PipelineHarness({ perDestination: 1 });
  for (let index = 0; index < 64; index++) harness.submitMany(new FakeDestination(`webhook:bad-${index}`), 2);
  const good = new FakeDestination('webhook:good');
  harness.submitMany(good, 2);
  good.at(0).end(DELIVERED);
  await pass(1);
  expect(good.attempts).toHaveLength(2);
});

test('fifteen instances with slow webhooks do not keep a sixteenth from beginning', async () => {
  const harness = new PipelineHarness({ concurrency: 2000, perDestination: 2000, maxBytes: 1e9 });
  for (let index = 0; index < 15; index++) harness.submitMany(webhookOf(`slow-${index}`), 100);
  await pass(1100);
  const good = webhookOf('good');
  harness.submit(good);
  expect(good.attempts).toHaveLength(1);
});

test('three hundred instances that hang, with a hundred places, leave these to quick ones once they are known', async () => {
  const harness = new PipelineHarness({ concurrency: 100, maxBytes: 1e9 });
  const hanging = Array.from({ length: 300 }, (_, index) => webhookOf(`hung-${index}`));
  const good = webhookOf('good');
  const global = new FakeDestination('webhook:global', 30_000, [{ key: 'webhook:global', part: 0.25 }]);
  for (const each of [good, global]) each.answer = DELIVERED;
  const pass10s = async (): Promise<void> => {
    for (let seconds = 0; seconds < 10; seconds++) {
      for (const each of hanging) harness.submit(each);
      await pass(1000);
    }
  };
  for (let tens = 0; tens < 7; tens++) await pass10s();
  for (let tens = 0; tens < 4; tens++) {
    await pass10s();
    const results = [good, global].map((each) => harness.submit(each));
    await pass(10);
    expect(results).toEqual([['delivered'], ['delivered']]);
  }
  harness.directAttempts.drain();
});

test('one instance with slow attempts at a host that many share leaves the others of that host some', async () => {
  const harness = new PipelineHarness({ concurrency: 400, perDestination: 400, maxBytes: 1e9 });
  harness.submit(new FakeDestination('webhook:other'));
  harness.submitMany(webhookOf('bad', 'hooks'), 100);
  await pass(1100);
  const good = webhookOf('good', 'hooks');
  harness.submit(good);
  expect(good.attempts).toHaveLength(1);
});

test('an event that is too large for the room that is left does not stop small ones behind it', async () => {
  const harness = new PipelineHarness({ perDestination: 1, maxBytes: 100_000, concurrency: 100 });
  const large = (number: number, bytes: number): Buffer => eventBody(number, { data: 'x'.repeat(bytes) });
  harness.submit(new FakeDestination('webhook:first'), large(1, 20_000));
  harness.submit(new FakeDestination('webhook:other'), large(3, 20_000));
  const waiting = new FakeDestination('webhook:second');
  harness.submit(waiting, large(2, 40_000));
  expect(waiting.attempts).toHaveLength(0);
  const small = new FakeDestination('webhook:small');
  harness.submitMany(small, 2);
  small.at(0).end(DELIVERED);
  await pass(1);
  expect(small.attempts).toHaveLength(2);
});

test('slow attempts of one that was alone leave memory to others', async () => {
  const harness = new PipelineHarness({ maxBytes: 100_000, perDestination: 100 });
  const body = (number: number): Buffer => eventBody(number, { data: 'x'.repeat(4750) });
  const alone = webhookOf('alone');
  for (let number = 0; number < 20; number++) harness.submit(alone, body(number));
  await pass(1100);
  const good = webhookOf('good');
  harness.submit(good, body(99));
  await pass(100);
  expect(good.attempts).toHaveLength(1);
});

test('a destination is alone once another one has had nothing for a minute, however little comes meanwhile', async () => {
  const harness = new PipelineHarness({ perDestination: 1, maxWaitMs: 1000 });
  const other = new FakeDestination('webhook:other');
  other.answer = DELIVERED;
  harness.submit(other);
  const destination = new FakeDestination('webhook:d');
  for (let count = 0; count < 12; count++) {
    harness.submit(destination);
    await pass(20);
    destination.at(count).end(DELIVERED);
    await pass(10_000);
  }
  harness.submit(destination);
  const waiting = harness.submit(destination);
  await pass(1500);
  expect(waiting).toEqual([]);
});

test('many that turn slow at once are told of once, as each time many lines are looked at', async () => {
  const harness = new PipelineHarness({ perDestination: 3, maxBytes: 1e9, concurrency: 4000 });
  harness.submitMany(webhookOf('a'), 3);
  harness.submitMany(webhookOf('b'), 3);
  let told = 0;
  harness.attempts.room.listen(() => told++);
  await pass(1050);
  expect(told).toBe(1);
});
