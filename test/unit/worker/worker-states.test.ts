import { WORKER_TRANSITIONS } from '../../../src/worker/worker-states';
import { transitionsSuite } from '../lifecycle/transitions-suite';

transitionsSuite('worker', WORKER_TRANSITIONS);

test('a worker that drains starts nothing any more, and one that started once does not start again', () => {
  expect(WORKER_TRANSITIONS.draining).toEqual(['closed']);
  expect(Object.entries(WORKER_TRANSITIONS).filter(([, next]) => next.includes('starting'))).toHaveLength(1);
});
