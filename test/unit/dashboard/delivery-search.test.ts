import { deliverySearch } from '../../../src/dashboard/screens/delivery-search';

const NOW = Date.UTC(2026, 4, 10, 12);
const HOUR = 3_600_000;

describe('a search in the address', () => {
  test('is read as it stands, without what is empty', () => {
    const { filter, given, problems } = deliverySearch(
      { message: ' 3EB0 ', chat: '+55 11 98888-7777', outcome: 'dead', since: '2h', until: '', odd: 'x' },
      NOW,
    );
    expect(filter).toEqual({
      message: '3EB0',
      chat: '+55 11 98888-7777',
      outcome: 'dead',
      since: NOW - 2 * HOUR,
    });
    expect(given).toEqual({ message: '3EB0', chat: '+55 11 98888-7777', outcome: 'dead', since: '2h' });
    expect(problems).toEqual([]);
  });

  test('names each field that cannot be understood, and shows no more of it than a form may hold', () => {
    const { filter, given, problems } = deliverySearch(
      { message: 'x'.repeat(10_000), since: 'yesterday', until: '2026-05-10' },
      NOW,
    );
    expect(problems).toEqual([
      { field: 'message', kind: 'too-long' },
      { field: 'since', kind: 'no-moment' },
    ]);
    expect(filter).toEqual({ until: Date.UTC(2026, 4, 10) });
    expect(given['message']).toHaveLength(1024);
  });

  test('that ends before it begins would find nothing, and is named', () => {
    expect(deliverySearch({ since: '2h', until: '3h' }, NOW).problems).toEqual([
      { field: 'since', kind: 'reversed' },
    ]);
    expect(deliverySearch({ since: '3h', until: '2h' }, NOW).problems).toEqual([]);
  });

  test('of years, and of more than there is, stays within what Redis takes as a time', () => {
    for (const since of ['99999d', `${'9'.repeat(400)}d`])
      expect(deliverySearch({ since }, NOW).filter).toEqual({ since: 0 });
  });

  test('asks for nothing but the fields of its screen, whatever the address has', () => {
    const { filter } = deliverySearch({ event: 'call', message: '3EB0' }, NOW, {
      of: 'deliveries',
      fields: ['event'],
    });
    expect(filter).toEqual({ event: 'call' });
    expect(deliverySearch(Object.create({ message: 'inherited' }), NOW).filter).toEqual({});
  });

  test('names a misspelt event or reason, and what was meant', () => {
    const query = { event: 'mesages.upsert', reason: 'TIMEOT' };
    expect(deliverySearch(query, NOW).problems).toEqual([
      { field: 'event', kind: 'misspelt', meant: 'messages.upsert' },
      { field: 'reason', kind: 'misspelt', meant: 'TIMEOUT' },
    ]);
    const dead = deliverySearch({ reason: 'rejectd' }, NOW, { of: 'dead-letters', fields: ['reason'] });
    expect(dead.problems).toEqual([{ field: 'reason', kind: 'misspelt', meant: 'rejected' }]);
  });
});
