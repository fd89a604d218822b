import {
  isProxyDown,
  isResolverDown,
  type LookupFailure,
  type Probe,
  type ProxyFailure,
  RecentUses,
} from '../../../src/network/shared-fault';

describe('a name that could not be resolved is our own fault (findings 1.4, 7.4)', () => {
  test.each<[LookupFailure, Probe, boolean, number, boolean]>([
    ['unreachable', 'silent', false, 1, true],
    ['unreachable', 'works', true, 1, true],
    ['silent', 'silent', false, 1, true],
    ['silent', 'silent', true, 8, false],
    ['silent', 'works', false, 8, false],
    ['silent', 'refused', false, 8, false],
    ['refused', 'works', false, 8, false],
    ['refused', 'silent', false, 1, true],
    ['refused', 'refused', false, 2, false],
    ['refused', 'refused', false, 3, true],
    ['refused', 'refused', true, 3, false],
  ])('%s, probe %s, others work %p, %d failed: %p', (failure, probe, othersWork, failedNames, expected) => {
    expect(isResolverDown({ failure, probe, othersWork, failedNames })).toBe(expected);
  });
});

describe('a proxy that serves nobody', () => {
  test.each<[ProxyFailure, number, boolean]>([
    ['unreachable', 1, true],
    ['credentials', 1, true],
    ['unreached', 8, false],
    ['refused', 2, false],
    ['refused', 3, true],
    ['silent', 2, false],
    ['silent', 3, true],
  ])('%s, %d failed: %p', (failure, failedNames, expected) => {
    expect(isProxyDown(failure, failedNames)).toBe(expected);
  });
});

test('failures are counted by name, up to a bound, until one works', () => {
  const uses = new RecentUses();
  uses.noteFailed('a');
  uses.noteFailed('a');
  expect(uses.failedNames).toBe(1);
  for (let index = 0; index < 1000; index++) uses.noteFailed(`name-${index}`);
  expect(uses.failedNames).toBe(8);
  uses.noteWorked(5);
  expect(uses.failedNames).toBe(0);
  expect([uses.workedSince(5), uses.workedSince(6)]).toEqual([true, false]);
});
