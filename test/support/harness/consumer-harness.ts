import { SILENT } from '../../../src/observability/logging';
import type { SourceMessage } from '../../../src/pipeline/message';
import { Consumer, type ConsumerLoss } from '../../../src/sources/rabbitmq/consumer';
import type { ConsumerState } from '../../../src/sources/rabbitmq/consumer-states';
import { PrefetchWindow } from '../../../src/sources/rabbitmq/prefetch-window';
import { Session } from '../../../src/sources/rabbitmq/session';
import { FakeBroker, type FakeChannel, replyError } from '../fakes/fake-amqp';
import { turns } from '../signals/signals';
import { nth } from '../values/items';

const sessions: Session[] = [];

/** To be called after each test. */
export async function closeConsumers(): Promise<void> {
  for (const session of sessions.splice(0)) await session.close();
}

/** A consumer at a broker in this process. */
export async function setUpConsumer({ prefetch = 100, maxBytes = 1_000_000, version = '3.10.8' } = {}) {
  const broker = new FakeBroker();
  broker.version = version;
  const session = await Session.open(broker.connect);
  sessions.push(session);
  const window = new PrefetchWindow(prefetch, maxBytes);
  const messages: SourceMessage[] = [];
  const losses: ConsumerLoss[] = [];
  const ended: string[] = [];
  const consumer = new Consumer(
    {
      session,
      window,
      instances: new Set(),
      onMessage: (message) => void messages.push(message),
      log: SILENT,
    },
    {
      onLost: (loss) => void losses.push(loss),
      onEnded: (queue) => void ended.push(queue),
      onSubscribed: () => {},
      onCrowded: () => {},
    },
  );
  const want = (...queues: string[]): void => consumer.want(new Set(queues), 10);
  const channel = (): FakeChannel => nth(nth(broker.models, 0).channels, 0);
  const subscribed = (): string[] => broker.consumers.map(({ queue }) => queue).sort();
  return { broker, session, window, messages, losses, ended, consumer, want, channel, subscribed };
}

export type ConsumerSetup = Awaited<ReturnType<typeof setUpConsumer>>;

/** How a consumer gets into each state. */
export const INTO: Readonly<Record<ConsumerState, (setup: ConsumerSetup) => Promise<unknown>>> = {
  idle: async () => {},
  changing: async ({ broker, want }) => {
    broker.answer = (call) => (call.startsWith('consume') ? 'never' : 'ok');
    want('a');
    await turns(20);
  },
  consuming: async ({ want, consumer }) => {
    want('a');
    await consumer.settled();
  },
  stopping: async ({ broker, want, consumer }) => {
    want('a');
    await consumer.settled();
    broker.answer = (call) => (call.startsWith('cancel') ? 'never' : 'ok');
    void consumer.stopIntake();
    await turns();
  },
  stopped: async ({ want, consumer }) => {
    want('a');
    await consumer.settled();
    await consumer.stopIntake();
  },
  lost: async ({ want, consumer, channel }) => {
    want('a');
    await consumer.settled();
    channel().refuse(replyError(541));
  },
  closed: async ({ want, consumer }) => {
    want('a');
    await consumer.settled();
    await consumer.close();
  },
};
