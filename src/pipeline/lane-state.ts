/**
 * What is known of one lane in this process.
 *
 * | state      | meaning                                                        | with deliveries that wait |
 * |------------|----------------------------------------------------------------|---------------------------|
 * | unknown    | whether something of it lies in the store must be asked        | asking                    |
 * | asking     | the store is asked                                             |                           |
 * | open       | nothing lies there: the next one may be attempted              | attempting                |
 * | attempting | one is being attempted; the others wait                        |                           |
 * | behind     | something lies there: what comes is stored behind it           | appending                 |
 * | appending  | some are being stored                                          |                           |
 */
export type LaneState = 'unknown' | 'asking' | 'open' | 'attempting' | 'behind' | 'appending';

/**
 * `go`: there are deliveries that wait. `store`: the process ends, they are stored in any case. `empty`, `waiting`: what lies in the store. `failed`: it did not answer. `made`: the
 * attempt was made. `doubted`: somebody else may have got what comes between; what is being found out is then of no use.
 */
export type LaneEvent = 'go' | 'store' | 'empty' | 'waiting' | 'failed' | 'made' | 'doubted';

/** Where an event is not listed it cannot happen, and `doubted` changes nothing. */
const AFTER: Readonly<Record<LaneState, Partial<Readonly<Record<LaneEvent, LaneState>>>>> = {
  unknown: { go: 'asking', store: 'appending' },
  asking: { empty: 'open', waiting: 'behind', failed: 'unknown' },
  open: { go: 'attempting', store: 'appending', doubted: 'unknown' },
  attempting: { made: 'open', waiting: 'behind' },
  behind: { store: 'appending' },
  appending: { empty: 'open', waiting: 'behind' },
};

/** @throws RangeError for what cannot happen in this state */
export function laneAfter(state: LaneState, event: LaneEvent): LaneState {
  const after = AFTER[state][event];
  if (after !== undefined) return after;
  if (event === 'doubted') return state;
  throw new RangeError(`a lane that is ${state} hears of ${event}`);
}
