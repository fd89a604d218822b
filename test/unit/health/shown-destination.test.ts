import { shownDestination } from '../../../src/health/shown-destination';
import type { DestinationId } from '../../../src/pipeline/delivery';

const FAILING = { id: 'webhook:global' as DestinationId, state: 'failing', waiting: 1 } as const;

test('a destination is shown with all its times as ISO, at the gateway and on the command line', () => {
  expect(shownDestination({ ...FAILING, since: 0, oldest: 1000, nextAttempt: 2000 })).toEqual({
    ...FAILING,
    since: '1970-01-01T00:00:00.000Z',
    oldest: '1970-01-01T00:00:01.000Z',
    nextAttempt: '1970-01-01T00:00:02.000Z',
  });
});

test('a destination is shown with what its code means, where it did not answer', () => {
  expect(shownDestination({ ...FAILING, code: 'ENOTFOUND' })).toMatchObject({
    code: 'ENOTFOUND',
    cause: 'the host name in its address does not exist',
  });
  expect(shownDestination({ ...FAILING, code: 'HTTP_500', status: 500 })).not.toHaveProperty('cause');
});
