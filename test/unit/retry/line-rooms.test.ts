import { ActiveClock } from '../../../src/pipeline/active-clock';
import { Bulkhead } from '../../../src/pipeline/bulkhead';
import type { Permits } from '../../../src/pipeline/permits';
import { Places } from '../../../src/pipeline/places';
import { LineRooms } from '../../../src/retry/line-rooms';
import { DELIVERED, FakeDestination } from '../../support/harness/pipeline-harness';
import { deliveryTo, eventBody } from '../../support/values/events';

const LARGE = 100_000;

/** A destination, one of its large retries under way that takes half of the memory, and the room of its line. */
function setup(permitsFor?: () => Permits) {
  const destination = new FakeDestination('webhook:instance/loja', 30_000, [{ key: 'loja', part: 0.25 }]);
  const places = new Places({ most: 100, maxBytes: 4 * LARGE, maxHeld: 100 });
  const circuit = { failures: 10, openMs: 1000, onChange: () => {} };
  const bulkhead = new Bulkhead({ concurrency: { first: 10, most: 10 }, circuit, permitsFor });
  let now = 0;
  const clock = new ActiveClock();
  clock.now = () => now;
  const rooms = new LineRooms({
    attempts: { clock },
    places,
    bulkheadOf: () => bulkhead,
    isAlone: () => false,
    destinationOf: async () => destination,
  });
  const delivery = deliveryTo(destination, eventBody(1, { data: 'x'.repeat(LARGE) }));
  places.begin(delivery);
  return {
    bulkhead,
    /** The one that is under way ends, and its memory is free. */
    finish: () => places.end(delivery, false),
    rooms: async () => (await rooms.roomOf(destination.id, LARGE))(),
    begin: () => bulkhead.enter(now, true),
    end: (place: number) => bulkhead.leave(place, now, true, DELIVERED),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('one large delivery is at hand for the memory that one under way gives back, while those do not take long', async () => {
  const { rooms, begin, pass } = setup();
  expect(await rooms()).toEqual({ kind: 'none' });
  begin();
  pass(900);
  expect(await rooms()).toMatchObject({ kind: 'room', count: 1 });
  pass(200);
  expect(await rooms()).toEqual({ kind: 'soon' });
});

test('retries that wait for a permit are not about to begin: they take no room of others meanwhile', async () => {
  const permits: Permits = {
    ...{ isFree: false, isFreeForRetry: false, readyForRetries: 0, forRetries: 4, noneForRetriesMs: 0 },
    ...{ take: () => {}, waitMs: () => 0, forRetry: async () => false, close: () => {} },
  };
  const { bulkhead, rooms, finish } = setup(() => permits);
  finish();
  bulkhead.holdTo({ rate: { count: 4, seconds: 1 } });
  expect(await rooms()).toMatchObject({ kind: 'room', count: 1, ready: 0 });
});

test('none is at hand where the memory is that of others', async () => {
  const { rooms, begin, end, pass } = setup();
  const place = begin();
  pass(10);
  end(place);
  expect(await rooms()).toEqual({ kind: 'none' });
});
