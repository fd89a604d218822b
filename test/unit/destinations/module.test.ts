import { globalId, instanceId } from '../../../src/destinations/destination-ids';
import { eventsPerRequest } from '../../../src/destinations/module';
import { DESTINATIONS } from '../../../src/modules';

describe('events that share a request', () => {
  test.each([
    [globalId('webhook'), 1],
    [globalId('pusher'), 10],
    [instanceId('pusher', 'loja'), 10],
    [instanceId('unreadable', 'loja'), 1],
    [globalId('gone'), 1],
  ])('%s: %d, as its module says', (id, events) => {
    expect(eventsPerRequest(DESTINATIONS, id)).toBe(events);
  });

  test('each kind is there once, and is the beginning of an id', () => {
    const kinds = DESTINATIONS.map(({ kind }) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const kind of kinds) expect(kind).toMatch(/^[a-z]+$/);
  });
});
