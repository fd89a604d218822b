import { randomUUID } from 'node:crypto';
import { checkSqs, type SqsCheckOptions } from '../../src/sources/sqs/check';
import { REGION, SqsAdmin } from '../support/sqs-bench';
import { SqsProxy, sqsError } from '../support/sqs-proxy';
import { PrivateSqs } from '../support/sqs-service';

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

const check = (others: Partial<SqsCheckOptions> = {}) =>
  checkSqs({
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
  const findings = await check({ instances: new Map([[instance, 'all']]) });
  expect(findings).toEqual([
    { level: 'ok', subject: 'sqs', message: '1 queue(s) are consumed' },
    { level: 'ok', subject: `${instance}_call.fifo`, message: expect.stringContaining('all permissions') },
  ]);
  const { visible, inFlight } = await admin.counts(url);
  expect(visible + inFlight).toBe(1);
});

test('a queue without a dead-letter queue is worth a warning', async () => {
  const url = await admin.createQueue(`plain-${randomUUID()}`);
  expect(await check({ queueUrls: [url] })).toEqual([
    expect.objectContaining({ level: 'warning', message: expect.stringContaining('dead-letter queue') }),
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
  expect(await check({ queueUrls: [url] })).toEqual([
    expect.objectContaining({
      level: 'problem',
      message: expect.stringContaining(`${permission} is missing`),
    }),
  ]);
});

test('without the permission to list queues it names that, and looks at those given by address', async () => {
  const url = await admin.createQueue(`plain-${randomUUID()}`);
  proxy.intercept = ({ action }) => (action === 'ListQueues' ? sqsError('AccessDenied', 403) : undefined);
  const findings = await check({ queueUrls: [url], instances: new Map([['loja', 'all']]) });
  expect(findings.map(({ level, message }) => [level, message])).toEqual([
    ['problem', expect.stringContaining('sqs:ListQueues is missing')],
    ['warning', expect.stringContaining('dead-letter queue')],
  ]);
});

test.each<[string, () => void | Promise<void>, string]>([
  ['wrong credentials', () => refuseAll('InvalidClientTokenId'), 'the credentials are refused'],
  ['a service that is away', () => proxy.goOffline(), 'cannot be reached'],
  ['nothing that is named so', () => {}, 'no queue was found'],
])('%s', async (_what, prepare, message) => {
  await prepare();
  expect(await check({ instances: new Map([[randomUUID(), 'all']]) })).toEqual([
    { level: 'problem', subject: 'sqs', message: expect.stringContaining(message) },
  ]);
});

test('a queue that does not exist', async () => {
  expect(await check({ queueUrls: [`${service.endpoint}/000000000000/none`] })).toEqual([
    { level: 'problem', subject: 'none', message: expect.stringContaining('does not exist') },
  ]);
});

function refuseAll(code: string): void {
  proxy.intercept = () => sqsError(code, 403);
}
