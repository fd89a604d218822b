import { createServer, type Server } from 'node:http';
import type { SourceMessage } from '../../src/pipeline/message';
import type { SqsApi } from '../../src/sources/sqs/api';
import { connectSqs } from '../../src/sources/sqs/sdk-api';
import { CALL_LIMITS } from '../../src/sources/sqs/sqs-connections';
import { untilReady } from '../support/harness/sources';
import { REGION, SqsHarness } from '../support/harness/sqs-harness';
import { freePort, HOST } from '../support/processes/ports';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { PrivateSqs } from '../support/servers/sqs-service';
import { eventually, Happenings, within } from '../support/signals/signals';

/** Short, so that silence is noticed soon; the usual ones are checked by themselves. */
const LIMITS = { connectMs: 500, answerMs: 500 };
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

let service: PrivateSqs;
let harness: SqsHarness;
let way: FreezingProxy;

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
beforeEach(async () => {
  way = await FreezingProxy.start(Number(new URL(service.endpoint).port));
  harness = await SqsHarness.open(service);
});
afterEach(async () => {
  await harness.close();
  await way.close();
});

const connection = () => ({ region: REGION, endpoint: `http://${HOST}:${way.port}`, credentials });

test('with the usual limits silence is noticed within 30 s, also by the longest poll (finding 9.1)', () => {
  const LONGEST_POLL_MS = 20_000;
  expect(LONGEST_POLL_MS + CALL_LIMITS.answerMs).toBeLessThan(30_000);
  expect(CALL_LIMITS.connectMs).toBeLessThan(30_000);
});

const NO_RECEIPT = ['AQEBnosuchreceipt'];

test.each<[string, (api: SqsApi) => Promise<unknown>]>([
  ['receive', (api) => api.receive(harness.queueUrl, { max: 1, waitSeconds: 0, visibilitySeconds: 5 })],
  ['remove', (api) => api.remove(harness.queueUrl, NO_RECEIPT)],
  ['setVisibility', (api) => api.setVisibility(harness.queueUrl, NO_RECEIPT, 5)],
  ['attributes', (api) => api.attributes(harness.queueUrl)],
  [
    'list',
    async (api) => {
      for await (const urls of api.list(harness.prefix)) if (urls.length > 0) return urls;
      return [];
    },
  ],
])(
  '%s over a connection that says nothing ends, and the next call goes over a new one (finding 9.1)',
  async (_name, call) => {
    const api = await connectSqs(connection(), { limits: LIMITS });
    try {
      // Several connections, all of which are there to be used again.
      await Promise.all([call(api), call(api), call(api)]);
      way.freeze();
      await expect(call(api)).rejects.toMatchObject({ code: 'SQS_SILENT' });
      await call(api);
    } finally {
      api.close();
    }
  },
);

describe('a service that answers, but not to the end', () => {
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  test('is silent too (finding 9.1)', async () => {
    const port = await freePort();
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.write('{"Mess');
    });
    await new Promise<void>((resolve) => server.listen(port, HOST, resolve));
    const api = await connectSqs({ ...connection(), endpoint: `http://${HOST}:${port}` }, { limits: LIMITS });
    try {
      const poll = api.receive(harness.queueUrl, { max: 1, waitSeconds: 0, visibilitySeconds: 5 });
      await expect(poll).rejects.toMatchObject({ code: 'SQS_SILENT' });
    } finally {
      api.close();
    }
  });
});

async function start() {
  const source = harness.create({}, { connection: connection(), limits: LIMITS, visibilitySeconds: 10 });
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => messages.add(message));
  await untilReady(source);
  return { source, messages };
}

const publishMany = (count: number, from: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => harness.publish(`${from + n}`)));

test('stranded connections: deletes and polls go over new ones, and nothing comes twice (finding 9.1)', async () => {
  const { source, messages } = await start();
  await publishMany(20, 0);
  await messages.count(20);
  way.freeze();
  for (const message of messages.all) message.settle('ack');
  await publishMany(20, 20);
  await messages.count(40);
  for (const message of messages.all.slice(20)) message.settle('ack');
  await eventually(async () => (await harness.left()) === 0 || undefined, 'nothing left');
  expect(new Set(messages.all.map(({ body }) => body.toString())).size).toBe(40);
  expect([messages.all.length, source.state.ready]).toEqual([40, true]);
});

test('stranded connections at the end: what was settled is deleted all the same (finding 9.1)', async () => {
  const { source, messages } = await start();
  await publishMany(20, 0);
  await messages.count(20);
  way.freeze();
  for (const message of messages.all) message.settle('ack');
  await within(source.close(), 15_000, () => 'close');
  expect(await harness.left()).toBe(0);
});

test('a service that says nothing: the source is not ready, ends in time, and comes back by itself (finding 9.1)', async () => {
  const { source } = await start();
  const other = harness.create({}, { connection: connection(), limits: LIMITS });
  service.pause();
  try {
    await eventually(() => !source.state.ready || undefined, 'not ready', 30_000);
    expect(source.state.detail).toBe('waiting for sqs: SQS_SILENT');
    await other.start(() => {});
    await eventually(() => other.state.detail.includes('SQS_SILENT') || undefined, 'told');
    await within(other.close(), 15_000, () => 'close');
  } finally {
    service.resume();
  }
  await untilReady(source);
});

test('a full source, which polls no more, still knows whether the service answers (finding 9.1)', async () => {
  const source = harness.create(
    { maxMessages: 1 },
    { connection: connection(), limits: LIMITS, visibilitySeconds: 60 },
  );
  const messages = new Happenings<SourceMessage>();
  await publishMany(1, 0);
  await source.start((message) => messages.add(message));
  await messages.count(1);
  service.pause();
  try {
    await eventually(() => !source.state.ready || undefined, 'not ready', 30_000);
  } finally {
    service.resume();
  }
  await untilReady(source);
});
