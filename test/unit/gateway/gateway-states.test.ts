import { GATEWAY_TRANSITIONS } from '../../../src/gateway/gateway-states';
import { transitionsSuite } from '../lifecycle/transitions-suite';

transitionsSuite('gateway', GATEWAY_TRANSITIONS);

test('a gateway that stops answers nothing any more, and one that started once does not start again', () => {
  expect(GATEWAY_TRANSITIONS.stopping).toEqual(['closed']);
  expect(Object.entries(GATEWAY_TRANSITIONS).filter(([, next]) => next.includes('starting'))).toHaveLength(1);
});
