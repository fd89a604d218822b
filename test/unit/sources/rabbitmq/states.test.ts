import { CONSUMER_TRANSITIONS } from '../../../../src/sources/rabbitmq/consumer-states';
import { SOURCE_TRANSITIONS } from '../../../../src/sources/rabbitmq/source-states';
import { TOPOLOGY_UNIT_TRANSITIONS } from '../../../../src/sources/rabbitmq/topology-unit-states';
import { transitionsSuite } from '../../lifecycle/transitions-suite';

transitionsSuite('source', SOURCE_TRANSITIONS);
transitionsSuite('consumer', CONSUMER_TRANSITIONS);
transitionsSuite('topology unit', TOPOLOGY_UNIT_TRANSITIONS);

test('what is closed or lost stays so, and every state can be left towards the end', () => {
  expect([SOURCE_TRANSITIONS.closed, CONSUMER_TRANSITIONS.closed, CONSUMER_TRANSITIONS.lost]).toEqual([
    [],
    [],
    [],
  ]);
  for (const [state, next] of Object.entries(SOURCE_TRANSITIONS))
    if (!['stopping', 'closed'].includes(state)) expect(next).toContain('stopping');
});
