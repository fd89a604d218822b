import { prepared } from '../../src/destinations/prepared-destination';
import type { Envelope } from '../../src/events/envelope';
import { LidBook } from '../../src/lids/lid-book';
import type { Destination, Outcome, RunningAttempt } from '../../src/pipeline/delivery';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { Scenario } from '../support/harness/scenario';
import { StoreHarness } from '../support/harness/store-harness';
import { HttpTarget } from '../support/servers/http-target';
import { deferred, eventually, Happenings } from '../support/signals/signals';
import { deliveryTo, envelopeOf, eventBody } from '../support/values/events';
import { nth } from '../support/values/items';

jest.setTimeout(60_000);

const LID = '99887766554433@lid';
const NUMBER = '5511988887777@s.whatsapp.net';
const OTHER = '5511911112222@s.whatsapp.net';

const eventOf = (data: object, instance = 'loja'): Envelope => envelopeOf(eventBody(1, { instance, data }));
const contact = (number: string): Envelope => eventOf({ key: { remoteJid: LID, remoteJidAlt: number } });
/** Says nothing of whose LID it is. */
const MESSAGE = { remoteJid: LID };
const remoteJidOf = ({ body }: Envelope): unknown =>
  (JSON.parse(body.toString()) as { data: { remoteJid: unknown } }).data.remoteJid;

describe('what all workers learn of LIDs', () => {
  let harness: StoreHarness;
  let books: LidBook[];
  beforeEach(async () => {
    harness = await StoreHarness.open();
    books = [];
  });
  afterEach(async () => {
    for (const book of books) await book.stop();
    await harness.close();
  });
  const worker = (): LidBook => {
    const book = new LidBook({ store: harness.store, onError: () => {} });
    books.push(book);
    return book;
  };
  /** Learns as a worker does whose events somebody wants numbers of. */
  async function teach(...events: readonly Envelope[]): Promise<LidBook> {
    const book = worker();
    await book.prepare(eventOf({}));
    for (const event of events) book.heard(event);
    await book.stop();
    return book;
  }

  test('is known to another worker, of the same instance', async () => {
    await teach(contact(NUMBER));
    const other = worker();
    expect(remoteJidOf(await other.prepare(eventOf(MESSAGE)))).toBe(NUMBER);
    expect(remoteJidOf(await other.prepare(eventOf(MESSAGE, 'another')))).toBe(LID);
  });

  test('with two numbers stays a LID, whoever saw which', async () => {
    await teach(contact(NUMBER));
    await teach(contact(OTHER));
    await teach(contact(NUMBER));
    expect(remoteJidOf(await worker().prepare(eventOf(MESSAGE)))).toBe(LID);
  });

  test('that contradicts what the event says stays a LID', async () => {
    const book = await teach(contact(NUMBER));
    const event = eventOf({ ...MESSAGE, remoteJidAlt: OTHER });
    expect(remoteJidOf(await book.prepare(event))).toBe(LID);
  });

  test('is asked for at once the second time; what nobody knows, too', async () => {
    await teach(contact(NUMBER));
    const book = worker();
    const unknown = eventOf({ remoteJid: '44332211556677@lid' });
    await Promise.all([book.prepare(eventOf(MESSAGE)), book.prepare(unknown)]);
    expect(remoteJidOf((await book.prepare(eventOf(MESSAGE))) as Envelope)).toBe(NUMBER);
    expect(book.prepare(eventOf(MESSAGE))).not.toBeInstanceOf(Promise);
    expect(book.prepare(unknown)).not.toBeInstanceOf(Promise);
  });

  test('is nothing where nobody wants numbers', async () => {
    const book = worker();
    book.heard(contact(NUMBER));
    await book.stop();
    expect((await harness.keyNames()).filter((key) => key.includes('lids'))).toEqual([]);
  });

  test('takes a bounded place that expires, the latest first to stay', async () => {
    for (let index = 0; index < 25; index++)
      await harness.store.call('relayLidsLearn', 10, 60_000, 'loja', `lid-${index}`, `${index}`);
    const known = await harness.store.call(
      'relayLidsOf',
      'loja',
      'lid-24',
      'loja',
      'lid-10',
      'loja',
      'lid-9',
    );
    expect(known).toEqual(['24', '10', '']);
    await harness.withRedis(async (redis) => {
      for (const name of ['lids', 'lids-before']) {
        const key = `{${harness.prefix}}:${name}:loja`;
        expect(await redis.hlen(key)).toBeLessThanOrEqual(10);
        expect(await redis.pttl(key)).toBeGreaterThan(0);
      }
    });
  });
});

describe('a delivery', () => {
  test('is not held up by a Redis that does not answer', async () => {
    const silent = { isReady: true, call: () => new Promise<never>(() => {}) };
    const book = new LidBook({ store: silent, onError: () => {} });
    expect(remoteJidOf(await book.prepare(eventOf(MESSAGE)))).toBe(LID);
  });

  test('goes out at once while Redis is away, with what its own event says', () => {
    const away = { isReady: false, call: () => Promise.reject(new Error('away')) };
    const book = new LidBook({ store: away, onError: () => {} });
    const ready = book.prepare(eventOf({ remoteJid: LID, remoteJidAlt: NUMBER }));
    expect(ready).not.toBeInstanceOf(Promise);
    expect(remoteJidOf(ready as Envelope)).toBe(NUMBER);
  });
});

describe('a destination whose events are prepared', () => {
  const started = new Happenings<string>();
  const inner: Destination = Object.assign(new FakeDestination(), {
    normalise: { lid: true },
    start: ({ envelope }: { envelope: Envelope }): RunningAttempt => {
      started.add(String(remoteJidOf(envelope)));
      return { outcome: Promise.resolve<Outcome>({ kind: 'delivered' }), abort: () => {} };
    },
  });
  const event = (name: string) => deliveryTo(inner, eventBody(1, { data: { remoteJid: name } }));

  test('keeps their order while one of them waits, and sends nothing of one that was aborted', async () => {
    const first = deferred<Envelope>();
    const destination = prepared(inner, {
      prepare: ({ envelope }) => (remoteJidOf(envelope) === 'first' ? first.promise : envelope),
    });
    const attempts = ['first', 'second', 'third'].map((name) => destination.start(event(name), 1));
    attempts[1]?.abort('shutdown');
    expect(started.all).toEqual([]);
    first.resolve(event('first').envelope);
    const outcomes = await Promise.all(attempts.map(({ outcome }) => outcome));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'interrupted', 'delivered']);
    expect(started.all).toEqual(['first', 'third']);
    await eventually(() => (destination.start(event('fourth'), 1) ? true : undefined), 'the next one');
    expect(nth(await started.count(3), 2)).toBe('fourth');
  });

  test('is the destination itself where nothing is asked for', () => {
    const plain = new FakeDestination();
    expect(prepared(plain, { prepare: ({ envelope }) => envelope })).toBe(plain);
  });
});

test('normalise.lid: a webhook receives numbers that an event it did not want taught, in a direct attempt and in a retry', async () => {
  const [asking, plain] = [await HttpTarget.start(), await HttpTarget.start()];
  const scenario = await Scenario.start({ env: { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' } });
  try {
    const webhook = { url: asking.url, events: ['MESSAGES_UPSERT'], normalise: { lid: true } };
    const settings = { webhook, webhooks: { plain: { url: plain.url, events: ['MESSAGES_UPSERT'] } } };
    const set = await scenario.command('settings', 'set', 'loja', JSON.stringify(settings));
    expect(set.code).toBe(0);
    await scenario.startWorker();
    const publish = (key: string, event: string, data: object): Promise<void> =>
      scenario.publishEvents([
        {
          key,
          routingKey: event,
          body: () => eventBody(scenario.published.length, { event, instance: 'loja', data }),
        },
      ]);
    await publish('0', 'messages.upsert', { key: { id: '0' }, from: '' });
    await asking.received.count(1);
    await publish('1', 'contacts.update', { key: { id: '1' }, id: LID, phoneNumber: NUMBER });
    await scenario.untilAllAccepted();
    asking.answer = (response) => response.writeHead(asking.received.all.length === 1 ? 503 : 200).end();
    await publish('2', 'messages.upsert', { key: { id: '2' }, from: LID });
    const fromOf = (target: HttpTarget, index: number): unknown =>
      (JSON.parse(nth(target.received.all, index).body.toString()) as { data: unknown }).data;
    await asking.received.count(3);
    for (const index of [1, 2])
      expect(fromOf(asking, index)).toEqual({ key: { id: '2' }, from: NUMBER, fromAlt: LID });
    await plain.received.count(2);
    expect(fromOf(plain, 1)).toEqual({ key: { id: '2' }, from: LID });
    await scenario.stopWorkers();
  } finally {
    await Promise.all([asking.stop(), plain.stop()]);
    await scenario.close();
  }
});
