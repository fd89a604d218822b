import { createServer, type Server } from 'node:http';
import { messageEvents } from '../support/clients/publisher';
import { Scenario } from '../support/harness/scenario';
import { SqsBroker } from '../support/harness/sqs-broker';
import { freePort, HOST } from '../support/processes/ports';
import { PrivateSqs } from '../support/servers/sqs-service';

jest.setTimeout(180_000);

const MIB = 2 ** 20;
const FILE_BYTES = 16 * MIB;
const FILES = 40;
const LIMIT_IN_FLIGHT = 64 * MIB;
/** About what 64 MiB of bodies cost in all their forms, on top of what the process takes; all files are 640 MiB. */
const LIMIT_RESIDENT = 450 * MIB;

let service: PrivateSqs;
let scenario: Scenario<SqsBroker>;
let s3: Server;

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
afterEach(async () => {
  await scenario.close();
  s3.closeAllConnections();
  await new Promise((resolve) => s3.close(resolve));
});

test('many large files in S3: all are delivered, and memory is bounded (finding 9.6)', async () => {
  scenario = await Scenario.on((name) => SqsBroker.open(service, name));
  const events = messageEvents(scenario.name, FILES).map(({ key, body }) => ({
    key,
    text: body().toString(),
  }));
  const padding = 'x'.repeat(FILE_BYTES);
  const port = await freePort();
  s3 = createServer((request, response) => {
    const text = events[Number(request.url?.slice(1))]?.text ?? '';
    const file = Buffer.from(`${text.slice(0, -1)},"padding":"${padding}"}`);
    response.writeHead(200, { 'content-length': String(file.length) });
    response.end(file);
  });
  await new Promise<void>((resolve) => s3.listen(port, HOST, resolve));
  const origin = `http://${HOST}:${port}`;
  const worker = await scenario.startWorker({
    S3_ENDPOINT: origin,
    DELIVERY_MAX_BYTES_IN_FLIGHT: String(LIMIT_IN_FLIGHT),
  });
  for (let from = 0; from < FILES; from += 10) {
    const claims = Array.from({ length: 10 }, (_, n) => ({
      body: JSON.stringify({
        event: 'messages.upsert',
        instance: `instance-${n}`,
        dataType: 's3',
        data: { fileUrl: `${origin}/${from + n}` },
      }),
    }));
    await scenario.broker.admin.sendAll(scenario.broker.queueUrl, claims);
  }
  await scenario.receiver.until(
    () => events.every(({ key }) => scenario.receiver.tallies.has(key)),
    120_000,
    'all files',
  );
  process.stdout.write(
    `fault SQS: files of 16 MiB: peak resident ${Math.round(worker.peakBytes / MIB)} MiB\n`,
  );
  expect(worker.peakBytes).toBeLessThan(LIMIT_RESIDENT);
});
