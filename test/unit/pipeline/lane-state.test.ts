import { type LaneEvent, type LaneState, laneAfter } from '../../../src/pipeline/lane-state';

const STATES: readonly LaneState[] = ['unknown', 'asking', 'open', 'attempting', 'behind', 'appending'];
const EVENTS: readonly LaneEvent[] = ['go', 'store', 'empty', 'waiting', 'failed', 'made', 'doubted'];
/** Every transition there is: state, event, state after it. */
const TABLE: ReadonlyMap<string, LaneState> = new Map([
  ['unknown go', 'asking'],
  ['unknown store', 'appending'],
  ['asking empty', 'open'],
  ['asking waiting', 'behind'],
  ['asking failed', 'unknown'],
  ['open go', 'attempting'],
  ['open store', 'appending'],
  ['open doubted', 'unknown'],
  ['attempting made', 'open'],
  ['attempting waiting', 'behind'],
  ['behind store', 'appending'],
  ['appending empty', 'open'],
  ['appending waiting', 'behind'],
]);

describe('the state of a lane', () => {
  test.each(STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))(
    '%s, %s: as the table says, or it cannot happen',
    (state, event) => {
      const after = TABLE.get(`${state} ${event}`) ?? (event === 'doubted' ? state : undefined);
      if (after === undefined) expect(() => laneAfter(state, event)).toThrow(RangeError);
      else expect(laneAfter(state, event)).toBe(after);
    },
  );
});
