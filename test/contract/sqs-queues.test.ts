import { randomUUID } from 'node:crypto';
import type { SourceMessage } from '../../src/pipeline/message';
import { counted } from '../../src/plural';
import type { SqsSource, SqsSourceOptions } from '../../src/sources/sqs/sqs-source';
import { texts, untilReady } from '../support/harness/sources';
import { SqsHarness } from '../support/harness/sqs-harness';
import { sqsError } from '../support/proxies/sqs-proxy';
import { PrivateSqs } from '../support/servers/sqs-service';
import { eventually, Happenings, within } from '../support/signals/signals';
import { nth } from '../support/values/items';

let service: PrivateSqs;
let harness: SqsHarness;
const extraQueues: string[] = [];

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
afterEach(async () => {
  for (const url of extraQueues.splice(0)) await harness.admin.deleteQueue(url).catch(() => {});
  await harness.close();
});

interface Started {
  readonly source: SqsSource;
  readonly messages: Happenings<SourceMessage>;
}

async function start(
  suffix: '' | '.fifo' = '',
  others: Partial<SqsSourceOptions> = {},
  maxMessages?: number,
): Promise<Started> {
  harness = await SqsHarness.open(service, suffix);
  return begin(others, maxMessages);
}

async function begin(others: Partial<SqsSourceOptions> = {}, maxMessages?: number): Promise<Started> {
  const source = harness.create(maxMessages === undefined ? {} : { maxMessages }, others);
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => messages.add(message));
  await untilReady(source);
  return { source, messages };
}

async function createQueue(name: string): Promise<string> {
  const url = await harness.admin.createQueue(name);
  extraQueues.push(url);
  return url;
}

const untilLeft = (count: number): Promise<true> =>
  eventually(async () => ((await harness.left()) === count ? true : undefined), `${count} messages left`);

describe('a FIFO queue', () => {
  test('a message group is yielded one by one and in order; other groups meanwhile', async () => {
    const { messages } = await start('.fifo');
    for (const text of ['a1', 'a2', 'a3']) await harness.publish(text, 'a');
    await messages.count(1);
    await harness.publish('b1', 'b');
    await messages.count(2);
    expect(texts(messages)).toEqual(['a1', 'b1']);
    nth(messages.all, 0).settle('ack');
    await messages.count(3);
    nth(messages.all, 2).settle('ack');
    await messages.count(4);
    expect(texts(messages)).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  test('a message that is released comes again before those behind it', async () => {
    const { messages } = await start('.fifo');
    for (const text of ['1', '2', '3']) await harness.publish(text, 'group');
    await messages.count(1);
    nth(messages.all, 0).settle('release');
    for (let index = 1; index <= 3; index++) {
      await messages.count(index + 1);
      nth(messages.all, index).settle('ack');
    }
    expect(texts(messages)).toEqual(['1', '1', '2', '3']);
    await untilLeft(0);
  });

  test('a group is held for longer than a lease: nothing of it comes twice', async () => {
    const { messages } = await start('.fifo', { visibilitySeconds: 2 });
    for (const text of ['1', '2']) await harness.publish(text, 'group');
    await messages.count(1);
    await eventually(
      () => (harness.proxy.countOf('ChangeMessageVisibilityBatch') >= 3 ? true : undefined),
      'extensions',
    );
    expect(texts(messages)).toEqual(['1']);
    nth(messages.all, 0).settle('ack');
    await messages.count(2);
    nth(messages.all, 1).settle('ack');
    await untilLeft(0);
  });
});

describe('deletes', () => {
  test('a delete that did not happen although it was said to: the message comes again and is only deleted', async () => {
    const { messages } = await start('', { visibilitySeconds: 2 });
    let lost = 0;
    harness.proxy.intercept = ({ action, body }) => {
      if (action !== 'DeleteMessageBatch' || lost > 0) return undefined;
      lost++;
      const Successful = (body['Entries'] as { Id: string }[]).map(({ Id }) => ({ Id }));
      return { status: 200, body: { Successful } };
    };
    await harness.publish('once');
    await messages.count(1);
    nth(messages.all, 0).settle('ack');
    await untilLeft(0);
    expect([texts(messages), lost]).toEqual([['once'], 1]);
  });

  test('go out in batches: 100 messages take no more than a call for each five', async () => {
    const { messages, source } = await start();
    await Promise.all(Array.from({ length: 100 }, (_, n) => harness.publish(`${n}`)));
    await messages.count(100);
    for (const message of messages.all) message.settle('ack');
    await untilLeft(0);
    await source.close();
    expect(harness.proxy.countOf('DeleteMessageBatch')).toBeLessThanOrEqual(20);
  });
});

describe('queues', () => {
  const hidden = { queueUrls: [], discoveryMs: 300 };

  test('of an instance are found by their names, join when they are made, and leave when they are deleted', async () => {
    harness = await SqsHarness.open(service);
    const instance = `loja-${randomUUID().slice(0, 8)}`;
    const { source, messages } = await begin(hidden);
    source.consumeInstance(instance, 'all');
    const first = await createQueue(`${instance}_group-participants_update.fifo`);
    await harness.admin.send(first, 'participants');
    await messages.count(1);
    expect(nth(messages.all, 0).origin).toEqual({ routingKey: 'group-participants.update', instance });
    const second = await createQueue(`${instance}_send_message_update`);
    // Another instance's, whose name begins alike, and no event of the catalogue.
    const foreign = [
      await createQueue(`${instance}_norte_messages_upsert`),
      await createQueue(`${instance}_orders`),
    ];
    for (const url of [...foreign, second]) await harness.admin.send(url, url);
    await messages.count(2);
    expect(nth(messages.all, 1).origin.routingKey).toBe('send.message.update');
    await harness.admin.deleteQueue(first);
    await harness.admin.deleteQueue(second);
    await eventually(() => (source.state.detail === 'consuming 0 queues' ? true : undefined), 'they leave');
    expect([source.state.ready, messages.all.length]).toEqual([true, 2]);
  });

  test('that fill several pages are all found', async () => {
    harness = await SqsHarness.open(service);
    const prefix = `global${randomUUID().slice(0, 8)}`;
    for (const event of ['call', 'messages_upsert', 'messages_update', 'contacts_upsert', 'chats_set'])
      await createQueue(`${prefix}_${event}.fifo`);
    // The emulator answers with all of them at once; AWS with pages where a size was asked for.
    harness.proxy.rewrite = ({ action, body }, answer) => {
      const all = answer['QueueUrls'];
      if (action !== 'ListQueues' || body['MaxResults'] === undefined || !Array.isArray(all)) return answer;
      const start = Number(body['NextToken'] ?? 0);
      const next = start + 2 < all.length ? { NextToken: String(start + 2) } : {};
      return { QueueUrls: all.slice(start, start + 2), ...next };
    };
    const { source } = await begin({ ...hidden, global: { prefix, singleQueue: false, events: 'all' } });
    expect(source.state.detail).toBe('consuming 5 queues');
    expect(harness.proxy.countOf('ListQueues')).toBe(3);
  });

  test('of an instance are left when its settings say so, and only events that it wants are consumed', async () => {
    harness = await SqsHarness.open(service);
    const instance = `loja-${randomUUID().slice(0, 8)}`;
    await createQueue(`${instance}_messages_upsert`);
    await createQueue(`${instance}_call`);
    const { source } = await begin(hidden);
    const untilConsuming = (count: number): Promise<true> =>
      eventually(
        () => (source.state.detail === `consuming ${counted(count, 'queue')}` ? true : undefined),
        `${count} queues`,
      );
    source.consumeInstance(instance, 'all');
    await untilConsuming(2);
    source.consumeInstance(instance, new Set(['CALL']));
    await untilConsuming(1);
    source.dropInstance(instance);
    await untilConsuming(0);
  });

  test.each([
    ['one for each event', { singleQueue: false }, 'messages_upsert', 'messages.upsert'],
    ['one for all', { singleQueue: true }, 'singlequeue', ''],
  ])('of the global mode, %s', async (_what, { singleQueue }, suffix, routingKey) => {
    harness = await SqsHarness.open(service);
    const prefix = `global${randomUUID().slice(0, 8)}`;
    const url = await createQueue(`${prefix}_${suffix}.fifo`);
    const { messages } = await begin({ ...hidden, global: { prefix, singleQueue, events: 'all' } });
    await harness.admin.send(url, 'x');
    await messages.count(1);
    expect(nth(messages.all, 0).origin).toEqual({ routingKey });
  });

  test('of another account than the configured one are left alone, with a warning', async () => {
    harness = await SqsHarness.open(service);
    const prefix = `global${randomUUID().slice(0, 8)}`;
    await createQueue(`${prefix}_call.fifo`);
    const { source } = await begin({
      ...hidden,
      accountId: '123456789012',
      global: { prefix, singleQueue: false, events: 'all' },
    });
    expect(source.state.detail).toBe('consuming 0 queues');
    expect(harness.logged.all.map(([message]) => message)).toContainEqual(
      expect.stringContaining('another account'),
    );
  });

  test('that are many and idle are polled in rotation: few calls, and a message is found all the same', async () => {
    harness = await SqsHarness.open(service);
    const prefix = `global${randomUUID().slice(0, 8)}`;
    const urls = await Promise.all(Array.from({ length: 20 }, (_, n) => createQueue(`i${n}-${prefix}_call`)));
    const { source, messages } = await begin({ queueUrls: urls, discoveryMs: 60_000 }, 40);
    await eventually(() => (harness.proxy.countOf('ReceiveMessage') > 40 ? true : undefined), 'two rounds');
    const polls = (): number => harness.proxy.countOf('ReceiveMessage');
    await harness.admin.send(nth(urls, 12), 'found');
    await messages.count(1);
    const before = { polls: polls(), at: Date.now() };
    await eventually(() => (polls() > before.polls + 20 ? true : undefined), 'some more polls');
    // 40 messages in hand allow four idle polls at once, each of a second: over so many, five a second and the first four.
    expect((polls() - before.polls) / ((Date.now() - before.at) / 1000)).toBeLessThanOrEqual(7);
    expect(source.state.ready).toBe(true);
  });
});

describe('a service that refuses', () => {
  test('throttling: it goes on by itself', async () => {
    const { messages } = await start();
    let left = 5;
    harness.proxy.intercept = ({ action }) =>
      action === 'ReceiveMessage' && left-- > 0 ? sqsError('RequestThrottled', 403) : undefined;
    await harness.publish('late');
    await messages.count(1);
    nth(messages.all, 0).settle('ack');
    await untilLeft(0);
  });

  test('a clock that is wrong by an hour is corrected', async () => {
    harness = await SqsHarness.open(service);
    const HOUR = 3_600_000;
    harness.proxy.intercept = ({ headers }) => {
      const [, year, month, day, hour, minute, second] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
      const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      if (Math.abs(signedAt - Date.now() - HOUR) < HOUR / 4) return undefined;
      const date = new Date(Date.now() + HOUR).toUTCString();
      const answer = sqsError('SignatureDoesNotMatch', 403);
      return { ...answer, headers: { ...answer.headers, date } };
    };
    const { messages } = await begin();
    await harness.publish('on time');
    await messages.count(1);
  });

  test('no permission: it says so and names the queue, and goes on once it is given', async () => {
    harness = await SqsHarness.open(service);
    harness.proxy.intercept = ({ action }) =>
      action === 'ReceiveMessage' ? sqsError('AccessDenied', 403) : undefined;
    const source = harness.create();
    await source.start(() => {});
    await eventually(
      () => harness.logged.all.find(([message]) => message.includes('refuses the relay')),
      'a warning',
    );
    expect([source.state.ready, source.state.detail]).toEqual([false, 'waiting for sqs: AccessDenied']);
    harness.proxy.intercept = () => undefined;
    await untilReady(source);
  });
});

test('a service that does not answer holds the end of the intake up for no longer than a poll and a second', async () => {
  const { source } = await start();
  const isPolling = () => harness.proxy.countOf('ReceiveMessage') > 0 || undefined;
  await eventually(async () => isPolling(), 'a long poll');
  service.pause();
  try {
    // The client itself gives up a poll five seconds after its wait of one.
    await within(source.stopIntake(), 5000, () => 'polls are given up on');
  } finally {
    service.resume();
  }
});
