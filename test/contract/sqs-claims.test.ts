import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { AddressGuard } from '../../src/network/address-guard';
import { Downloader } from '../../src/network/download';
import type { SourceMessage } from '../../src/pipeline/message';
import { texts, untilReady } from '../support/harness/sources';
import { SqsHarness } from '../support/harness/sqs-harness';
import { freePort, HOST } from '../support/processes/ports';
import { PrivateSqs } from '../support/servers/sqs-service';
import { Happenings } from '../support/signals/signals';
import { nth } from '../support/values/items';

let service: PrivateSqs;
let harness: SqsHarness;

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
afterEach(() => harness.close());

describe('events that were too large for SQS', () => {
  const WHOLE =
    '{"event":"messages.set","instance":"loja","dataType":"json","data":["much"],"server":"evolution"}';
  let s3: Server;
  let files: string;
  let answers: { status: number; body: string }[];
  let requests: number;

  beforeEach(async () => {
    answers = [];
    requests = 0;
    const port = await freePort();
    files = `http://${HOST}:${port}/file.json?X-Amz-Signature=00`;
    s3 = createServer((_request, response) => {
      requests++;
      const { status, body } = answers.shift() ?? { status: 200, body: WHOLE };
      response.writeHead(status);
      response.end(body);
    });
    await new Promise<void>((resolve) => s3.listen(port, HOST, resolve));
  });
  afterEach(() => {
    s3.closeAllConnections();
    return new Promise((resolve) => s3.close(resolve));
  });

  const claim = (fileUrl: string): string =>
    JSON.stringify({ event: 'messages.set', instance: 'loja', dataType: 's3', data: { fileUrl } });

  const startWith = async (networks: readonly string[], maxBytes = 1_000_000, suffix: '' | '.fifo' = '') => {
    const downloader = new Downloader({
      maxBytes,
      timeoutMs: 5000,
      idleMs: 5000,
      guard: new AddressGuard(networks),
      trustedOrigin: undefined,
    });
    harness = await SqsHarness.open(service, suffix);
    const source = harness.create({}, { downloader });
    const messages = new Happenings<SourceMessage>();
    await source.start((message) => messages.add(message));
    await untilReady(source);
    return { messages, downloader };
  };

  /** As the core API does it: a file in a bucket, by a signed link. */
  const store = async (text: string): Promise<string> => {
    const bucket = `${service.endpoint}/bucket-${randomUUID()}`;
    const file = `${bucket}/evolution-api/messages/loja_messages_set_1.json`;
    await fetch(bucket, { method: 'PUT', headers: { connection: 'close' } });
    await fetch(file, { method: 'PUT', body: text, headers: { connection: 'close' } });
    return `${file}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=604800&X-Amz-Signature=00`;
  };

  test('are fetched and yielded whole, in the order of their group', async () => {
    const { messages, downloader } = await startWith(['127.0.0.0/8'], undefined, '.fifo');
    await harness.publish(claim(await store(WHOLE)), 'group');
    await harness.publish('after', 'group');
    await messages.count(1);
    nth(messages.all, 0).settle('ack');
    await messages.count(2);
    expect(texts(messages)).toEqual([WHOLE, 'after']);
    await downloader.close();
  });

  test('are tried again where the answer is a passing fault', async () => {
    answers = [{ status: 503, body: '' }];
    const { messages, downloader } = await startWith(['127.0.0.0/8']);
    await harness.publish(claim(files));
    await messages.count(1);
    expect([texts(messages), requests]).toEqual([[WHOLE], 2]);
    await downloader.close();
  });

  test.each<[string, () => void, readonly string[], number | undefined, string]>([
    [
      'whose link has expired',
      () => answers.push({ status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }),
      ['127.0.0.0/8'],
      undefined,
      'CLAIM_EXPIRED',
    ],
    ['whose file is larger than may be', () => {}, ['127.0.0.0/8'], 20, 'CLAIM_TOO_LARGE'],
    ['whose link leads inside', () => {}, [], undefined, 'CLAIM_ADDRESS_REFUSED'],
  ])(
    '%s carry the reason, so that they are dead-lettered with it',
    async (_what, prepare, networks, maxBytes, code) => {
      prepare();
      const { messages, downloader } = await startWith(networks, maxBytes);
      await harness.publish(claim(files));
      await messages.count(1);
      const { flaw, body } = nth(messages.all, 0);
      expect([flaw?.code, body.toString()]).toEqual([code, claim(files)]);
      await downloader.close();
    },
  );
});
