import { SqsHarness } from '../support/harness/sqs-harness';
import { PrivateSqs } from '../support/servers/sqs-service';
import { sourceSuite } from './source-suite';

/** Every character that SQS takes and that something on the way could trip over. */
const CHARACTERS = '{"a":"é\\ud83d\\ude00\\u0000","tab":"\t","space":"\u2028","last":"\ufffd"}\r\n';

let service: PrivateSqs;
beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());

for (const [kind, suffix] of [
  ['standard queues', ''],
  ['FIFO queues, each message in a group of its own', '.fifo'],
] as const) {
  sourceSuite(`sqs, ${kind}`, async () => {
    const harness = await SqsHarness.open(service, suffix);
    return {
      create: (limits) => harness.create(limits),
      publish: (body) => harness.publish(body),
      bodies: [Buffer.from('x'), Buffer.from(CHARACTERS), Buffer.alloc(1_000_000, 'é')],
      largestBody: 1_048_576,
      holding: { by: 'lease', left: () => harness.left() },
      waiting: () => harness.waiting(),
      goOffline: () => harness.proxy.goOffline(),
      goOnline: () => harness.proxy.goOnline(),
      closeConnections: () => harness.proxy.closeConnections(),
      close: () => harness.close(),
    };
  });
}
