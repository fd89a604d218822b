import type { SourceMessage } from '../../../../src/pipeline/message';
import type { SqsApi } from '../../../../src/sources/sqs/api';
import { Inbox } from '../../../../src/sources/sqs/inbox';
import { IntakeBudget } from '../../../../src/sources/sqs/intake-budget';
import { monotonicMs } from '../../../../src/time/monotonic';

const MOST = 10_000;
const QUEUE = { url: 'https://sqs/queue.fifo', name: 'queue.fifo', origin: { routingKey: '' } };

test('any number may wait for the first of their group, each of them settled as soon as it is handed over', async () => {
  const removed: string[] = [];
  const api = {
    remove: async (_url: string, handles: readonly string[]) => {
      removed.push(...handles);
      return handles.map(() => undefined);
    },
  } as unknown as SqsApi;
  const taken: SourceMessage[] = [];
  let settlesAtOnce = false;
  const inbox = new Inbox({
    ...{ api, budget: new IntakeBudget(MOST, 1_000_000), maxMessages: MOST, visibilitySeconds: 60 },
    claims: undefined,
    onMessage: (message) => {
      taken.push(message);
      if (settlesAtOnce) message.settle('ack');
    },
    onRoom: () => {},
  });
  const messages = Array.from({ length: MOST }, (_, index) => ({
    ...{ id: String(index), handle: `handle ${index}`, body: '{}', group: 'loja' },
    ...{ sentAt: undefined, receiveCount: 1 },
  }));
  inbox.receive(QUEUE, messages, monotonicMs());
  expect(taken).toHaveLength(1);
  settlesAtOnce = true;
  taken[0]?.settle('ack');
  await inbox.close();
  expect(taken).toHaveLength(MOST);
  expect(removed).toHaveLength(MOST);
});
