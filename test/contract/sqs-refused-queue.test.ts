import { randomUUID } from 'node:crypto';
import type { SourceMessage } from '../../src/pipeline/message';
import { texts, untilReady } from '../support/harness/sources';
import { SqsHarness } from '../support/harness/sqs-harness';
import { sqsError } from '../support/proxies/sqs-proxy';
import { PrivateSqs } from '../support/servers/sqs-service';
import { eventually, Happenings } from '../support/signals/signals';

let service: PrivateSqs;
let harness: SqsHarness;

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
afterEach(() => harness.close());

describe('one queue that is refused (finding 9.7)', () => {
  test.each([
    ['denied', 'AccessDenied'],
    ['said not to exist', 'QueueDoesNotExist'],
  ])(
    'as it is %s: the others are consumed, it is told once, and joins again by itself',
    async (_what, code) => {
      harness = await SqsHarness.open(service);
      const [sick, well] = await Promise.all(
        ['sick', 'well'].map((name) => harness.admin.createQueue(`${name}-${randomUUID().slice(0, 8)}_call`)),
      );
      if (sick === undefined || well === undefined) throw new Error('two queues');
      const isSick = (body: Readonly<Record<string, unknown>>): boolean =>
        String(body['QueueUrl']).includes('/sick-');
      harness.proxy.intercept = ({ action, body }) =>
        action === 'ReceiveMessage' && isSick(body) ? sqsError(code, 403) : undefined;
      const source = harness.create({}, { queueUrls: [sick, well] });
      const messages = new Happenings<SourceMessage>();
      await source.start((message) => messages.add(message));
      await untilReady(source);
      await Promise.all([
        harness.admin.send(sick, 'from the sick'),
        harness.admin.send(well, 'from the well'),
      ]);
      await messages.count(1);
      const polls = (): number =>
        harness.proxy.calls.all.filter(({ action, body }) => action === 'ReceiveMessage' && isSick(body))
          .length;
      await eventually(() => polls() >= 3 || undefined, 'several tries');
      expect(source.state).toEqual({ ready: true, detail: expect.stringContaining(`_call (${code})`) });
      const told = harness.logged.all.filter(([, fields]) => fields?.['code'] === code);
      expect(told).toHaveLength(1);
      harness.proxy.intercept = () => undefined;
      await messages.count(2);
      expect([texts(messages), source.state.detail]).toEqual([
        ['from the well', 'from the sick'],
        'consuming 2 queues',
      ]);
      for (const message of messages.all) message.settle('ack');
      await source.close();
      for (const url of [sick, well]) await harness.admin.deleteQueue(url);
    },
  );
});
