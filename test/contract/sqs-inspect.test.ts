import { randomUUID } from 'node:crypto';
import { AddressGuard } from '../../src/network/address-guard';
import { Downloader } from '../../src/network/download';
import { inspectSqs, type SqsInspectOptions } from '../../src/sources/sqs/sqs-doctor';
import { REGION, SqsAdmin } from '../support/harness/sqs-harness';
import { freePort } from '../support/processes/ports';
import { SqsProxy, sqsError } from '../support/proxies/sqs-proxy';
import { PrivateSqs } from '../support/servers/sqs-service';

let service: PrivateSqs;
let proxy: SqsProxy;
let admin: SqsAdmin;

beforeAll(async () => {
  service = await PrivateSqs.start();
  admin = new SqsAdmin(service.endpoint);
});
afterAll(async () => {
  admin.close();
  await service.stop();
});
beforeEach(async () => {
  proxy = await SqsProxy.start(service.endpoint);
});
afterEach(() => proxy.goOffline());

const inspect = (others: Partial<SqsInspectOptions> = {}) =>
  inspectSqs({
    connection: {
      region: REGION,
      endpoint: proxy.endpoint,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    queueUrls: [],
    templates: ['{instance}_{event}.fifo'],
    global: undefined,
    accountId: '',
    instances: new Map(),
    ...others,
  });

const redrive = (arn: string): Record<string, string> => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 100 }),
});

test('all is well: says how many queues, and what each can do', async () => {
  const instance = `loja-${randomUUID().slice(0, 8)}`;
  const arn = `arn:aws:sqs:${REGION}:000000000000:dead.fifo`;
  const url = await admin.createQueue(`${instance}_call.fifo`, redrive(arn));
  await admin.send(url, 'stays');
  const findings = await inspect({ instances: new Map([[instance, 'all']]) });
  expect(findings).toEqual([
    { part: 'sqs', check: 'queues', state: 'ok', detail: '1 queue is consumed' },
    {
      part: 'sqs',
      check: `${instance}_call.fifo`,
      state: 'ok',
      detail: expect.stringContaining('all permissions'),
    },
  ]);
  const { visible, inFlight } = await admin.counts(url);
  expect(visible + inFlight).toBe(1);
});

test('a queue without a dead-letter queue is worth a note', async () => {
  const url = await admin.createQueue(`plain-${randomUUID()}`);
  expect(await inspect({ queueUrls: [url] })).toEqual([
    expect.objectContaining({ state: 'note', detail: expect.stringContaining('dead-letter queue') }),
  ]);
});

test.each([
  ['GetQueueAttributes', 'sqs:GetQueueAttributes'],
  ['ReceiveMessage', 'sqs:ReceiveMessage'],
  ['DeleteMessageBatch', 'sqs:DeleteMessage'],
  ['ChangeMessageVisibilityBatch', 'sqs:ChangeMessageVisibility'],
])('without the permission for %s it names %s', async (action, permission) => {
  const url = await admin.createQueue(`plain-${randomUUID()}`);
  proxy.intercept = (call) => (call.action === action ? sqsError('AccessDenied', 403) : undefined);
  expect(await inspect({ queueUrls: [url] })).toEqual([
    expect.objectContaining({
      state: 'trouble',
      detail: expect.stringContaining(`${permission} is missing`),
    }),
  ]);
});

test('without the permission to list queues it names that, and looks at those given by address', async () => {
  const url = await admin.createQueue(`plain-${randomUUID()}`);
  proxy.intercept = ({ action }) => (action === 'ListQueues' ? sqsError('AccessDenied', 403) : undefined);
  const findings = await inspect({ queueUrls: [url], instances: new Map([['loja', 'all']]) });
  expect(findings.map(({ state, detail }) => [state, detail])).toEqual([
    ['trouble', expect.stringContaining('sqs:ListQueues is missing')],
    ['note', expect.stringContaining('dead-letter queue')],
  ]);
});

test('a list that is refused for one instance hides no queue of another (finding 9.7)', async () => {
  const names = ['well', 'sick'].map((name) => `${name}-${randomUUID().slice(0, 8)}`);
  await Promise.all(names.map((name) => admin.createQueue(`${name}_call.fifo`)));
  const [well = '', sick = ''] = names;
  proxy.intercept = ({ body }) =>
    body['QueueNamePrefix'] === `${sick}_` ? sqsError('InvalidParameterValue') : undefined;
  const findings = await inspect({ instances: new Map(names.map((name) => [name, 'all'])) });
  expect(findings.map(({ check, state, detail }) => [check, state, detail])).toEqual([
    [
      'queues',
      'trouble',
      expect.stringContaining(`queues named ${sick}_…: the service does not take the call`),
    ],
    ['queues', 'ok', '1 queue is consumed'],
    [`${well}_call.fifo`, 'note', expect.stringContaining('all permissions')],
  ]);
});

test('names of instances that no queue can have are told (finding 9.7)', async () => {
  const url = await admin.createQueue(`plain-${randomUUID()}`);
  const instances = new Map(['x'.repeat(80), 'loja do centro'].map((name) => [name, 'all' as const]));
  expect(await inspect({ queueUrls: [url], instances })).toContainEqual({
    part: 'sqs',
    check: 'queues',
    state: 'trouble',
    detail: expect.stringMatching(/^no queue can be named for the instance "x+" and 1 more/),
  });
});

test('S3 that does not answer is told, and where it answers that too (finding 9.5)', async () => {
  const url = await admin.createQueue(`plain-${randomUUID()}`);
  const withS3 = async (s3Origin: string) => {
    const downloader = new Downloader({
      maxBytes: 0,
      timeoutMs: 5000,
      idleMs: 5000,
      guard: new AddressGuard([]),
      trustedOrigin: s3Origin,
    });
    const findings = await inspect({ queueUrls: [url], s3Origin, downloader });
    await downloader.close();
    return findings.filter(({ check }) => check === 's3').map(({ state, detail }) => [state, detail]);
  };
  expect(await withS3(service.endpoint)).toEqual([['ok', `${service.endpoint} answers`]]);
  const away = `http://127.0.0.1:${await freePort()}`;
  expect(await withS3(away)).toEqual([
    ['trouble', expect.stringContaining(`${away} does not answer (ECONNREFUSED)`)],
  ]);
});

test.each<[string, () => void | Promise<void>, string]>([
  ['wrong credentials', () => refuseAll('InvalidClientTokenId'), 'the credentials are refused'],
  ['a service that is away', () => proxy.goOffline(), 'cannot be reached'],
  ['nothing that is named so', () => {}, 'no queue was found'],
])('%s', async (_what, prepare, message) => {
  await prepare();
  expect(await inspect({ instances: new Map([[randomUUID(), 'all']]) })).toEqual([
    { part: 'sqs', check: 'queues', state: 'trouble', detail: expect.stringContaining(message) },
  ]);
});

test('a queue that does not exist', async () => {
  expect(await inspect({ queueUrls: [`${service.endpoint}/000000000000/none`] })).toEqual([
    { part: 'sqs', check: 'none', state: 'trouble', detail: expect.stringContaining('does not exist') },
  ]);
});

function refuseAll(code: string): void {
  proxy.intercept = () => sqsError(code, 403);
}
