import { notSeen } from '../../../src/delivery-log/shown-delivery';

const coverage = { since: Date.UTC(2026, 4, 10, 8), skipped: 0 };

describe('a look-up that finds nothing', () => {
  test.each([{ message: '3EB0' }, { chat: '5511988887777', instance: 'loja' }])(
    'of an event, %j: it did not come',
    (filter) => {
      expect(notSeen(coverage, filter)).toMatch(
        /^not seen by the relay since 2026-05-10T08:00.*no such event reached it$/,
      );
    },
  );

  test.each([
    { outcome: 'dead' },
    { message: '3EB0', destination: 'webhook:global' },
    { reason: 'HTTP_503' },
    { since: 1 },
  ] as const)('of deliveries, %j: that event may have come all the same', (filter) => {
    const said = notSeen(coverage, filter);
    expect(said).toMatch(/^no delivery matches all filters since 2026-05-10T08:00/);
    expect(said).not.toMatch(/seen|reached/);
  });
});
