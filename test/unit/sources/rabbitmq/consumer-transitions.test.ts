import type { ConsumerState } from '../../../../src/sources/rabbitmq/consumer-states';
import { replyError } from '../../../support/fakes/fake-amqp';
import {
  type ConsumerSetup,
  closeConsumers,
  INTO,
  setUpConsumer,
} from '../../../support/harness/consumer-harness';
import { turns } from '../../../support/signals/signals';

afterEach(closeConsumers);

/** What can happen to it, and the state that follows from each state; `same` where nothing does. */
const AFTER: Readonly<
  Record<string, Readonly<Record<ConsumerState, ConsumerState | 'same'>> & { readonly run?: never }>
> = {
  'other queues': {
    idle: 'consuming',
    changing: 'same',
    consuming: 'consuming',
    stopping: 'same',
    stopped: 'same',
    lost: 'same',
    closed: 'same',
  },
  stopIntake: {
    idle: 'stopped',
    changing: 'stopping',
    consuming: 'stopped',
    stopping: 'same',
    stopped: 'same',
    lost: 'same',
    closed: 'same',
  },
  close: {
    idle: 'closed',
    changing: 'closed',
    consuming: 'closed',
    stopping: 'closed',
    stopped: 'closed',
    lost: 'same',
    closed: 'same',
  },
  'connection lost': {
    idle: 'lost',
    changing: 'lost',
    consuming: 'lost',
    stopping: 'lost',
    stopped: 'lost',
    lost: 'same',
    closed: 'same',
  },
  'channel refused': {
    idle: 'same',
    changing: 'lost',
    consuming: 'lost',
    stopping: 'lost',
    stopped: 'lost',
    lost: 'same',
    closed: 'same',
  },
};

const HAPPENS: Readonly<Record<string, (setup: ConsumerSetup) => unknown>> = {
  'other queues': ({ want }) => want('b'),
  stopIntake: ({ consumer }) => consumer.stopIntake(),
  close: ({ consumer }) => consumer.close(),
  'connection lost': ({ consumer }) => consumer.abandon(),
  'channel refused': ({ broker }) => broker.models[0]?.channels[0]?.refuse(replyError(541)),
};

const cases = Object.entries(AFTER).flatMap(([event, next]) =>
  (Object.keys(INTO) as ConsumerState[]).map((state) => ({
    state,
    event,
    next: next[state] === 'same' ? state : next[state],
  })),
);

describe('every transition of a consumer', () => {
  test.each(cases)('$state, $event → $next', async ({ state, event, next }) => {
    const parts = await setUpConsumer();
    await INTO[state](parts);
    expect(parts.consumer.state).toBe(state);
    void HAPPENS[event]?.(parts);
    await turns(30);
    expect(parts.consumer.state).toBe(next);
  });
});
