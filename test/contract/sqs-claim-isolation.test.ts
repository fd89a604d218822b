import { createServer, type RequestListener, type Server } from 'node:http';
import { AddressGuard } from '../../src/network/address-guard';
import { Downloader } from '../../src/network/download';
import type { SourceMessage } from '../../src/pipeline/message';
import type { SqsSource } from '../../src/sources/sqs/sqs-source';
import { texts, untilReady } from '../support/harness/sources';
import { SqsHarness } from '../support/harness/sqs-harness';
import { freePort, HOST } from '../support/processes/ports';
import { PrivateSqs } from '../support/servers/sqs-service';
import { eventually, Happenings } from '../support/signals/signals';
import { nth } from '../support/values/items';

const MB = 1_048_576;

let service: PrivateSqs;
let harness: SqsHarness;
let downloader: Downloader;
const servers: Server[] = [];

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
beforeEach(async () => {
  harness = await SqsHarness.open(service);
});
afterEach(async () => {
  await harness.close();
  await downloader.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A server of files, and its origin. */
async function serve(handle: RequestListener): Promise<string> {
  const port = await freePort();
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, HOST, resolve));
  return `http://${HOST}:${port}`;
}

interface Options {
  readonly trustedOrigin?: string;
  readonly networks?: readonly string[];
  readonly maxMessages?: number;
  readonly maxBytes?: number;
  readonly idleMs?: number;
  readonly queueUrls?: readonly string[];
}

async function start({ networks = [], maxMessages = 250, maxBytes = 64 * MB, ...options }: Options) {
  downloader = new Downloader({
    maxBytes,
    timeoutMs: 10_000,
    idleMs: options.idleMs ?? 5000,
    guard: new AddressGuard(networks),
    trustedOrigin: options.trustedOrigin,
  });
  const { queueUrls = [harness.queueUrl] } = options;
  const source = harness.create({ maxMessages, maxBytes }, { downloader, queueUrls });
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => messages.add(message));
  await untilReady(source);
  return { source, messages };
}

const claim = (fileUrl: string, instance = 'loja'): string =>
  JSON.stringify({ event: 'messages.set', instance, dataType: 's3', data: { fileUrl } });

/** Bodies of messages, ten with each call. */
async function publishAll(queueUrl: string, bodies: readonly string[]): Promise<void> {
  for (let from = 0; from < bodies.length; from += 10) {
    await harness.admin.sendAll(
      queueUrl,
      bodies.slice(from, from + 10).map((body) => ({ body })),
    );
  }
}

const silence: RequestListener = () => {};

test('the configured S3 may be anywhere, at its own port only (finding 5.7)', async () => {
  const asked: string[] = [];
  const answer =
    (name: string): RequestListener =>
    (_request, response) => {
      asked.push(name);
      response.end(`{"from":"${name}"}`);
    };
  const trustedOrigin = await serve(answer('trusted'));
  const other = await serve(answer('other'));
  const { messages } = await start({ trustedOrigin });
  await harness.publish(claim(`${other}/file`));
  await messages.count(1);
  expect(nth(messages.all, 0).flaw?.code).toBe('CLAIM_ADDRESS_REFUSED');
  await harness.publish(claim(`${trustedOrigin}/file`));
  await messages.count(2);
  expect([texts(messages)[1], asked]).toEqual(['{"from":"trusted"}', ['trusted']]);
});

describe('S3 that does not answer (finding 9.5)', () => {
  const untilTold = (source: SqsSource) =>
    eventually(() => source.state.detail.includes('files wait for') || undefined, 'told in the detail');

  test('holds no other queue, and nothing of its own queue; its messages go back, and it is told once', async () => {
    const trustedOrigin = await serve(silence);
    const other = await harness.admin.createQueue(`${harness.prefix}_call`);
    try {
      await publishAll(
        harness.queueUrl,
        Array.from({ length: 100 }, (_, n) => claim(`${trustedOrigin}/file-${n}`, `instance-${n % 5}`)),
      );
      const { source, messages } = await start({
        trustedOrigin,
        maxMessages: 10,
        idleMs: 500,
        queueUrls: [harness.queueUrl, other],
      });
      await publishAll(
        other,
        Array.from({ length: 20 }, (_, n) => `other ${n}`),
      );
      await publishAll(
        harness.queueUrl,
        Array.from({ length: 20 }, (_, n) => `same ${n}`),
      );
      for (let n = 0; n < 40; n++) {
        await messages.count(n + 1);
        nth(messages.all, n).settle('ack');
      }
      await untilTold(source);
      const isPutOff = () =>
        harness.proxy.calls.all.some(({ action, body }) => {
          const [entry] = action === 'ChangeMessageVisibilityBatch' ? (body['Entries'] as Entry[]) : [];
          return entry !== undefined && entry.VisibilityTimeout >= 24;
        });
      await eventually(() => isPutOff() || undefined, 'messages go back for a while');
      expect(source.state.ready).toBe(true);
      expect(harness.logged.all.filter(([message]) => message.includes('cannot be fetched'))).toHaveLength(1);
      expect(texts(messages).sort()).toEqual(
        ['other', 'same'].flatMap((queue) => Array.from({ length: 20 }, (_, n) => `${queue} ${n}`)).sort(),
      );
    } finally {
      await harness.admin.deleteQueue(other);
    }
  });

  test('holds up no file of another host', async () => {
    const silent = await serve(silence);
    const well = await serve((_request, response) => response.end('whole'));
    await publishAll(
      harness.queueUrl,
      Array.from({ length: 60 }, (_, n) => claim(`${silent}/file`, `sick-${n}`)),
    );
    const { messages } = await start({ networks: ['127.0.0.0/8'], maxMessages: 10, idleMs: 60_000 });
    await harness.publish(claim(`${well}/file`));
    await messages.count(1);
    expect(texts(messages)).toEqual(['whole']);
  });
});

test('files are never more in memory than may be held, and all come through (finding 9.6)', async () => {
  const maxBytes = 10 * MB;
  const file = Buffer.alloc(3 * MB, 'x');
  const trustedOrigin = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': String(file.length) });
    response.end(file);
  });
  await publishAll(
    harness.queueUrl,
    Array.from({ length: 30 }, (_, n) => claim(`${trustedOrigin}/${n}`, `instance-${n}`)),
  );
  const held: SourceMessage[] = [];
  let most = 0;
  downloader = new Downloader({
    maxBytes,
    timeoutMs: 20_000,
    idleMs: 5000,
    guard: new AddressGuard([]),
    trustedOrigin,
  });
  const source = harness.create({ maxBytes }, { downloader });
  await source.start((message) => {
    held.push(message);
    most = Math.max(
      most,
      source.held.bytes,
      held.reduce((sum, { body }) => sum + body.length, 0),
    );
  });
  let done = 0;
  await eventually(() => held.length > 0 || undefined, 'a file');
  await eventually(
    () => {
      const message = held.shift();
      message?.settle('ack');
      if (message !== undefined) done++;
      most = Math.max(most, source.held.bytes);
      return done >= 30 || undefined;
    },
    'all files',
    60_000,
  );
  expect(most).toBeLessThanOrEqual(maxBytes);
  expect(most).toBeGreaterThanOrEqual(file.length);
});

test('a file that drips is given up on long before its time is over (finding 5.7)', async () => {
  const timers = new Set<NodeJS.Timeout>();
  const trustedOrigin = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': String(MB) });
    timers.add(setInterval(() => response.write('x'), 20));
  });
  downloader = new Downloader({
    maxBytes: MB,
    timeoutMs: 60_000,
    idleMs: 300,
    guard: new AddressGuard([]),
    trustedOrigin,
  });
  try {
    const order = { signal: new AbortController().signal, admit: () => true };
    expect(await downloader.fetch(`${trustedOrigin}/file`, order)).toEqual({
      kind: 'failed',
      code: 'DOWNLOAD_TOO_SLOW',
    });
  } finally {
    for (const timer of timers) clearInterval(timer);
  }
});

interface Entry {
  readonly VisibilityTimeout: number;
}
