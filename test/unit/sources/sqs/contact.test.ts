import { ASK_AFTER_MS, Contact } from '../../../../src/sources/sqs/contact';
import { SqsSilentError } from '../../../../src/sources/sqs/sqs-connections';
import { Happenings, turns } from '../../../support/signals/signals';

class Denied extends Error {
  readonly code = 'AccessDenied';
}

let now = 1_000_000;
let contact: Contact;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance'] });
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  contact.stop();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function setup() {
  const happened = new Happenings<string>();
  contact = new Contact({
    ask: async () => happened.add('ask'),
    onAnswer: (action) => happened.add(action),
    onSilence: () => happened.add('silence'),
  });
  return happened;
}

test('a call that fails means silence only where nothing was answered since it was begun', () => {
  const { all } = setup();
  const begunAt = now;
  now += 10;
  contact.answered('receive', 'q');
  contact.failed('receive', 'q', new SqsSilentError(1), begunAt);
  expect(all).toEqual(['receive']);
  now += 10;
  contact.failed('receive', 'q', new SqsSilentError(1), now);
  expect(all).toEqual(['receive', 'silence']);
});

test('a refusal is an answer', () => {
  const { all } = setup();
  contact.failed('receive', 'q', new Denied(), now);
  expect(all).toEqual([]);
});

test('the service is asked where no call was answered for a while (finding 9.1)', async () => {
  const { all } = setup();
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    jest.advanceTimersByTime(2000);
    await turns(1);
  };
  contact.start();
  contact.answered('receive', 'q');
  await pass(ASK_AFTER_MS - 1);
  expect(all).toEqual(['receive']);
  await pass(1);
  expect(all).toEqual(['receive', 'ask']);
  expect(ASK_AFTER_MS).toBeLessThanOrEqual(20_000);
});
