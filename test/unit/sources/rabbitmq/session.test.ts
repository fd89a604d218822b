import { Session } from '../../../../src/sources/rabbitmq/session';
import { FakeBroker, replyError } from '../../../support/fakes/fake-amqp';
import { deferred } from '../../../support/signals/signals';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

describe('a session', () => {
  test('ends every question with the connection', async () => {
    const broker = new FakeBroker();
    const session = await Session.open(broker.connect);
    const questions = [session.answer(deferred().promise), session.answer(deferred().promise)];
    broker.models[0]?.lose(replyError(541));
    for (const question of questions) await expect(question).rejects.toMatchObject({ code: 'AMQP_541' });
    await expect(session.answer(deferred().promise)).rejects.toMatchObject({ code: 'AMQP_541' });
    expect(session.lostBy?.isRefusal).toBe(true);
  });

  test('is given up where a question is not answered, and tells it (finding 3.3)', async () => {
    const session = await Session.open(new FakeBroker().connect);
    const question = session.answer(deferred().promise);
    const refused = expect(question).rejects.toMatchObject({ code: 'BROKER_SILENT' });
    await jest.advanceTimersByTimeAsync(15_000);
    await refused;
    await expect(session.lost).resolves.toMatchObject({ code: 'BROKER_SILENT', isRefusal: false });
  });

  test('is not given up while nothing is asked', async () => {
    const session = await Session.open(new FakeBroker().connect);
    await jest.advanceTimersByTimeAsync(120_000);
    expect(session.isLost).toBe(false);
    await session.close();
  });

  test('that cannot be made in time is given up, and closed when it is made after all (finding 3.3)', async () => {
    const late = deferred<never>();
    let signal: AbortSignal | undefined;
    const opening = Session.open((cancel) => {
      signal = cancel;
      return late.promise;
    });
    const refused = expect(opening).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await jest.advanceTimersByTimeAsync(10_000);
    await refused;
    expect(signal?.aborted).toBe(true);
  });

  test('that is being made is given up at once when it is not wanted any more (finding 3.15)', async () => {
    const stop = new AbortController();
    const opening = Session.open(() => deferred<never>().promise, stop.signal);
    stop.abort();
    await expect(opening).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
  });

  test('a forced close and a lost socket are no refusal', async () => {
    for (const error of [replyError(320), new Error('socket'), undefined]) {
      const broker = new FakeBroker();
      const session = await Session.open(broker.connect);
      broker.models[0]?.lose(error);
      expect((await session.lost).isRefusal).toBe(false);
    }
  });
});
