import { AlertReadings } from '../../../src/alerts/alert-readings';
import type { UnwellRecord } from '../../../src/health/health-record';
import type { DestinationId } from '../../../src/pipeline/delivery';

const NOW = 10_000_000;

function record(name: string, state: UnwellRecord['state'], sinceMs: number): UnwellRecord {
  return { id: `webhook:instance/${name}` as DestinationId, state, since: NOW - sinceMs, code: 'HTTP_404' };
}

async function conditionsOf(records: readonly UnwellRecord[] | undefined): Promise<unknown> {
  const readings = new AlertReadings({
    records: () => records,
    silentOnes: async () => new Map(),
    oldestSeconds: async () => 0,
    inspectRedis: async () => [],
    audit: { found: async () => undefined },
    backlogMs: 0,
    onError: () => {},
  });
  const { conditions, unread } = await readings.read(NOW);
  return [
    conditions.map((each) => [each.cause, each.subject, 'state' in each ? each.state : undefined]),
    unread.has('destination-failing'),
  ];
}

test('a destination that fails or rejects everything for a minute is an alert of one cause, which says which', async () => {
  expect(
    await conditionsOf([
      record('fails', 'failing', 60_000),
      record('fails-lately', 'failing', 59_000),
      record('rejects', 'rejecting', 60_000),
      record('rejects-lately', 'rejecting', 59_000),
      record('suspended', 'suspended', 0),
    ]),
  ).toEqual([
    [
      ['destination-suspended', 'webhook:instance/suspended', undefined],
      ['destination-failing', 'webhook:instance/fails', undefined],
      ['destination-failing', 'webhook:instance/rejects', 'rejecting'],
    ],
    false,
  ]);
});

test('where what is not well is not known yet nothing is over', async () => {
  expect(await conditionsOf(undefined)).toEqual([[], true]);
});
