import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { messageEvents } from '../support/clients/publisher';
import { Scenario } from '../support/harness/scenario';
import { asText, SqsBroker } from '../support/harness/sqs-broker';
import { freePort, HOST } from '../support/processes/ports';
import { PrivateSqs } from '../support/servers/sqs-service';

jest.setTimeout(60_000);

let service: PrivateSqs;
let scenario: Scenario<SqsBroker>;

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
beforeEach(async () => {
  scenario = await Scenario.on((name) => SqsBroker.open(service, name));
});
afterEach(() => scenario.close());

function events(count: number): { readonly key: string; readonly text: string }[] {
  return messageEvents(`${scenario.name}-own`, count).map(({ key, body }) => ({ key, text: asText(body()) }));
}

const untilHas = (key: string): Promise<void> =>
  scenario.receiver.until(() => scenario.receiver.tallies.has(key), 20_000, key);

test("an instance's own queues are consumed as soon as its settings say so, and no longer when they do not", async () => {
  const instance = `loja-${randomUUID().slice(0, 8)}`;
  const url = await scenario.broker.admin.createQueue(`${instance}_messages_upsert.fifo`);
  const [first, second] = events(2);
  if (first === undefined || second === undefined) throw new Error('two events');
  const env = { SQS_QUEUE_URLS: '', SQS_DISCOVERY_SECONDS: '60' };
  const worker = await scenario.startWorker(env);
  expect((await worker.readiness()).body).toContain('consuming 0 queues');

  await scenario.broker.admin.send(url, first.text, 'evolution');
  expect(await scenario.command('settings', 'set', instance, '{"sqs":{"enabled":true}}')).toMatchObject({
    code: 0,
  });
  await untilHas(first.key);

  expect(await scenario.command('settings', 'set', instance, '{"sqs":{"enabled":false}}')).toMatchObject({
    code: 0,
  });
  await worker.until(
    async () => (await worker.readiness()).body.includes('consuming 0 queues'),
    10_000,
    'the queue is left',
  );
  await scenario.broker.admin.send(url, second.text, 'evolution');
  await scenario.stopWorkers();
  expect(await scenario.broker.admin.counts(url)).toEqual({ visible: 1, inFlight: 0 });
  await scenario.broker.admin.deleteQueue(url);
});

test('depth and what is in flight are measured for each queue', async () => {
  const worker = await scenario.startWorker({ SQS_PREFETCH: '10' });
  scenario.receiver.behaviour = () => 'hang';
  await scenario.publish(50);
  const labels = `{queue="${scenario.name}_messages_upsert"}`;
  await worker.until(
    async () => {
      const metrics = await worker.metrics();
      const inFlight = metrics.get(`relay_source_queue_in_flight${labels}`) ?? 0;
      return inFlight > 0 && metrics.has(`relay_source_queue_oldest_seconds${labels}`);
    },
    20_000,
    'metrics of the queue',
  );
  scenario.receiver.behaviour = () => ({ status: 200 });
});

describe('an event that was too large for SQS', () => {
  let s3: Server;
  let status: number;
  let link: string;
  let file: string;

  beforeEach(async () => {
    status = 200;
    const port = await freePort();
    link = `http://${HOST}:${port}/file.json`;
    s3 = createServer((_request, response) => {
      response.writeHead(status);
      response.end(file);
    });
    await new Promise<void>((resolve) => s3.listen(port, HOST, resolve));
  });
  afterEach(() => {
    s3.closeAllConnections();
    return new Promise((resolve) => s3.close(resolve));
  });

  const claim = (): string =>
    JSON.stringify({ event: 'messages.upsert', instance: 'i', dataType: 's3', data: { fileUrl: link } });

  test('is delivered whole, fetched from where S3_ENDPOINT says', async () => {
    const [event] = events(1);
    file = event?.text ?? '';
    await scenario.startWorker({ S3_ENDPOINT: new URL(link).origin });
    await scenario.broker.admin.send(scenario.broker.queueUrl, claim());
    await untilHas(event?.key ?? '');
    expect(scenario.receiver.distinct).toBe(1);
  });

  test('whose link has expired is dead-lettered with that as its reason, and deleted', async () => {
    status = 403;
    file = '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>';
    await scenario.startWorker({ S3_ENDPOINT: new URL(link).origin });
    await scenario.broker.admin.send(scenario.broker.queueUrl, claim());
    await scenario.untilAudited(({ dead }) => dead === 1, 'none');
    const { stdout } = await scenario.command('dead-letters', 'ls');
    expect(stdout).toContain('CLAIM_EXPIRED');
    await scenario.stopWorkers();
    expect(await scenario.broker.left()).toBe(0);
  });

  test('from a private address that nobody opened is dead-lettered, and nothing is fetched', async () => {
    let asked = false;
    s3.on('request', () => {
      asked = true;
    });
    file = '';
    await scenario.startWorker();
    await scenario.broker.admin.send(scenario.broker.queueUrl, claim());
    await scenario.untilAudited(({ dead }) => dead === 1, 'none');
    expect((await scenario.command('dead-letters', 'ls')).stdout).toContain('CLAIM_ADDRESS_REFUSED');
    expect(asked).toBe(false);
  });
});

test('doctor looks at the queues, and ends with 0', async () => {
  const { stdout } = await scenario.command('doctor');
  expect(stdout).toMatch(/sqs .*all permissions/);
});
