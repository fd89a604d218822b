import { Pollers } from '../../../../src/sources/sqs/pollers';
import { Room } from '../../../../src/sources/sqs/room';
import { Happenings } from '../../../support/signals';

const URL = 'http://127.0.0.1/000000000000/one';

afterEach(() => jest.restoreAllMocks());

test('a queue whose poll failed is polled again, however much time passes between two looks at the clock', async () => {
  let now = 1_000_000;
  // Longer than half of the pause after a failure, which is between 160 and 240 ms.
  jest.spyOn(Date, 'now').mockImplementation(() => {
    now += 130;
    return now;
  });
  const polls = new Happenings<string>();
  const room = new Room(100, 64 * 1024 * 1024);
  const pollers = new Pollers({
    api: {
      receive: async (queueUrl) => {
        polls.add(queueUrl);
        throw new Error('away');
      },
      abandonReceiving: () => {},
    },
    inbox: {
      room,
      get free() {
        return room.free;
      },
      receive: () => {},
    },
    maxPolls: 1,
    maxMessages: 10,
    waitSeconds: 1,
    visibilitySeconds: 30,
    onReceived: () => {},
    onAnswer: () => {},
    onError: () => {},
    onGone: () => {},
  });
  pollers.consume([{ url: URL, name: 'one', origin: { routingKey: '' } }]);
  try {
    await polls.count(2, 2000);
  } finally {
    await pollers.stop();
  }
});
