import type { ReceivedMessage, SqsApi } from '../../../../src/sources/sqs/api';
import { IntakeBudget } from '../../../../src/sources/sqs/intake-budget';
import { Pollers } from '../../../../src/sources/sqs/pollers';
import type { ConsumedQueue } from '../../../../src/sources/sqs/queue-names';
import { deferred, Happenings } from '../../../support/signals/signals';

const QUEUE: ConsumedQueue = {
  url: 'http://127.0.0.1/000000000000/one',
  name: 'one',
  origin: { routingKey: '' },
};
const MESSAGE: ReceivedMessage = {
  id: 'id',
  handle: 'handle',
  body: '{}',
  group: undefined,
  sentAt: undefined,
  receiveCount: 1,
};

afterEach(() => jest.restoreAllMocks());

function setup(receive: SqsApi['receive']) {
  const polls = new Happenings<string>();
  const inboxed = new Happenings<'received' | 'refused'>();
  const budget = new IntakeBudget(100, 64 * 1024 * 1024);
  const pollers = new Pollers({
    api: {
      receive: (queueUrl, options) => {
        polls.add(queueUrl);
        return receive(queueUrl, options);
      },
      abandonReceiving: () => {},
    },
    inbox: {
      get free() {
        return budget.free;
      },
      receive: () => inboxed.add('received'),
      refuse: () => inboxed.add('refused'),
    },
    budget,
    maxPolls: 1,
    maxMessages: 10,
    waitSeconds: 1,
    visibilitySeconds: 30,
    onReceived: () => {},
    onGone: () => {},
  });
  return { pollers, polls, inboxed };
}

test('a queue whose poll failed is polled again, however much time passes between two readings of the clock', async () => {
  let now = 1_000_000;
  // Longer than half of the pause after a failure, which is between 160 and 240 ms.
  jest.spyOn(performance, 'now').mockImplementation(() => {
    now += 130;
    return now;
  });
  const { pollers, polls } = setup(() => Promise.reject(new Error('away')));
  pollers.consume([QUEUE]);
  try {
    await polls.count(2);
  } finally {
    await pollers.stop();
  }
});

test('what a poll still brings of a queue that was left goes back', async () => {
  const answer = deferred<ReceivedMessage[]>();
  const { pollers, inboxed } = setup(() => answer.promise);
  pollers.consume([QUEUE]);
  pollers.consume([]);
  answer.resolve([MESSAGE]);
  await inboxed.count(1);
  await pollers.stop();
  expect(inboxed.all).toEqual(['refused']);
});
