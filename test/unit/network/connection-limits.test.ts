import { ConnectionLimits } from '../../../src/network/connection-limits';

const create = () => new ConnectionLimits<object>({ inAll: 10, strangers: 6, perAddress: 3 });

const opened = (limits: ConnectionLimits<object>, count: number, groupOf: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => {
    const connection = { index };
    const verdict = limits.open(connection, groupOf(index));
    return { connection, verdict };
  });

const same = () => 'a';
const each = (index: number) => `address ${index}`;

it('refuses a connection beyond the share of an address while its others are at work', () => {
  const limits = create();
  for (const { connection } of opened(limits, 3, same)) limits.begin(connection);
  expect(limits.open({}, 'a')).toEqual({ kind: 'refused', limit: 'address' });
  expect(limits.open({}, 'b')).toEqual({ kind: 'admitted' });
});

it('closes the connection that has been silent longest for a new one of the same address (finding 4.2)', () => {
  const limits = create();
  const [first, second] = opened(limits, 3, same);
  limits.begin(first?.connection ?? {});
  expect(limits.open({}, 'a')).toEqual({ kind: 'admitted', victim: second?.connection });
  expect(limits.count).toBe(3);
});

it('silent connections of many addresses keep nobody out (finding 4.2)', () => {
  const limits = create();
  const all = opened(limits, 1000, each);
  expect(all.every(({ verdict }) => verdict.kind === 'admitted')).toBe(true);
  expect(limits.count).toBe(6);
});

it('strangers at work leave the other places to those that showed a key', () => {
  const limits = create();
  for (const { connection } of opened(limits, 6, each)) limits.begin(connection);
  expect(limits.open({}, 'new')).toEqual({ kind: 'refused', limit: 'strangers' });
  const other = create();
  for (const { connection } of opened(other, 6, each)) {
    other.begin(connection);
    other.recognise(connection);
  }
  expect(other.open({}, 'new')).toEqual({ kind: 'admitted' });
});

it('a few addresses that are at work with all they may have keep no other address out (finding 5.1)', () => {
  const limits = create();
  const busy = opened(limits, 6, (index) => (index < 3 ? 'a' : 'b'));
  for (const { connection } of busy) limits.begin(connection);
  expect(limits.open({}, 'a')).toEqual({ kind: 'refused', limit: 'address' });
  const [first, , , second] = busy.map(({ connection }) => connection);
  expect(limits.open({}, 'new')).toEqual({ kind: 'admitted', victim: first });
  // `new` has its connection at rest, which goes first.
  const newest = {};
  expect(limits.open(newest, 'newer').kind).toBe('admitted');
  limits.begin(newest);
  expect(limits.open({}, 'newest')).toEqual({ kind: 'admitted', victim: second });
});

it('names strangers by turns: one of each address, the newest first', () => {
  const limits = create();
  const [a1, a2, a3, b1, proxied, known] = ['a', 'a', 'a', 'b', undefined, 'c'].map((group) => {
    const connection = {};
    limits.open(connection, group);
    return connection;
  }) as [object, object, object, object, object, object];
  limits.begin(known);
  limits.recognise(known);
  const turns = limits.strangersByTurns();
  expect(turns).toHaveLength(5);
  expect(turns.map((each) => [a1, a2, a3, b1, proxied].indexOf(each))).toEqual([2, 3, 4, 1, 0]);
});

it('closes a known connection at rest only where no place is left at all', () => {
  const limits = create();
  const known = Array.from({ length: 10 }, (_, index) => ({ index }));
  for (const connection of known) {
    limits.open(connection, 'a');
    limits.begin(connection);
    limits.recognise(connection);
  }
  expect(limits.open({}, 'b')).toEqual({ kind: 'refused', limit: 'all' });
  limits.end(known[4] ?? {});
  expect(limits.open({}, 'b')).toEqual({ kind: 'admitted', victim: known[4] });
});

it('counts what a trusted proxy sends by the address that it tells, one request at a time', () => {
  const limits = create();
  const proxied = Array.from({ length: 5 }, (_, index) => ({ index }));
  for (const connection of proxied) expect(limits.open(connection, undefined).kind).toBe('admitted');
  const begun = proxied.map((connection) => limits.begin(connection, 'client'));
  expect(begun).toEqual([true, true, true, false, false]);
  const [first = {}, second = {}, third = {}, fourth = {}] = proxied;
  limits.end(first, 'client');
  expect(limits.begin(fourth, 'client')).toBe(true);
  limits.recognise(second);
  limits.close(third);
  expect([limits.begin(first, 'client'), limits.begin(third, 'client')]).toEqual([true, false]);
  expect(limits.isKnown(second)).toBe(true);
  limits.end(second, 'client');
  // The next request on a proxy's connection is somebody else's.
  expect(limits.isKnown(second)).toBe(false);
});

it('is empty again once everything has closed, however it went', () => {
  const limits = create();
  for (let round = 0; round < 50; round++) {
    const some = opened(limits, 6, (index) => (index % 2 === 0 ? 'a' : 'b'));
    for (const [index, { connection }] of some.entries()) {
      limits.begin(connection);
      if (index % 3 === 0) limits.recognise(connection);
      if (index % 2 === 0) limits.end(connection);
    }
    for (const { connection } of some) limits.close(connection);
    for (const { connection } of some) limits.close(connection);
  }
  expect(limits.count).toBe(0);
  expect(opened(limits, 3, same).every(({ verdict }) => verdict.kind === 'admitted')).toBe(true);
  expect(opened(limits, 3, each).every(({ verdict }) => verdict.kind === 'admitted')).toBe(true);
});
