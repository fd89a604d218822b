import { addressGroup } from '../../../src/network/client-address';
import { ConnectionWatch } from '../../../src/network/connection-watch';
import { descriptorLimit, fileLimits, gatewayLimits, metricsLimits } from '../../../src/network/descriptors';
import { SharedBudget } from '../../../src/network/shared-budget';

describe('the group of an address', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['no address', 'unknown'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('of %s is %s', (address, group) => expect(addressGroup(address)).toBe(group));
});

describe('a shared budget', () => {
  it('is bounded for each holder and in all, and remembers nobody who holds nothing', () => {
    const budget = new SharedBudget({ inAll: 10, perHolder: 4 });
    const a = budget.take('a', 4);
    expect(budget.take('a')).toEqual({ kind: 'refused', limit: 'holder' });
    const b = budget.take('b', 4);
    expect(budget.take('c', 3)).toEqual({ kind: 'refused', limit: 'all' });
    for (const taking of [a, a, b]) if (taking.kind === 'taken') taking.release();
    expect(budget.taken).toBe(0);
    expect(budget.take('a', 4).kind).toBe('taken');
  });
});

describe('limits by the descriptors of the process', () => {
  const limits = (soft: string) => () =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files   ${soft}   ${soft}  files\n`;

  it('are read where the system shows them', () => {
    expect(descriptorLimit(limits('256'))).toBe(256);
    expect(descriptorLimit(limits('unlimited'))).toBeGreaterThan(1_000_000);
    expect(descriptorLimit(() => 'nothing')).toBe(10_240);
    expect(
      descriptorLimit(() => {
        throw new Error('no /proc');
      }),
    ).toBe(10_240);
  });

  it.each([
    [256, { inAll: 96, strangers: 48, perAddress: 24 }, 16, { inAll: 8, perHolder: 4 }],
    [1024, { inAll: 384, strangers: 192, perAddress: 96 }, 64, { inAll: 32, perHolder: 16 }],
    [1_048_576, { inAll: 20_000, strangers: 2000, perAddress: 1000 }, 64, { inAll: 512, perHolder: 256 }],
  ])('of %d leave more than half to the worker (finding 4.2)', (descriptors, gateway, metrics, files) => {
    const none = { maxConnections: undefined, maxConnectionsPerAddress: undefined };
    expect(gatewayLimits(none, descriptors)).toEqual(gateway);
    expect(metricsLimits(descriptors).inAll).toBe(metrics);
    expect(fileLimits(descriptors)).toEqual(files);
    expect(gateway.inAll + metrics + files.inAll).toBeLessThan(descriptors / 2);
  });

  it('are what is configured, where it is', () => {
    expect(gatewayLimits({ maxConnections: 50, maxConnectionsPerAddress: 40 }, 256)).toEqual({
      inAll: 50,
      strangers: 25,
      perAddress: 40,
    });
  });
});

describe('the watch over a connection', () => {
  const idle = { bytesRead: 0, bytesWritten: 0, writableLength: 0 };
  const awaited = { complete: false, readableFlowing: true };

  it('finds no fault with a connection at rest', () => {
    expect(new ConnectionWatch(0).faultOf(idle, false, 1_000_000)).toBeUndefined();
  });

  it('ends a body that hardly comes, but not one that nobody reads (finding 4.2)', () => {
    const slow = new ConnectionWatch(0);
    slow.begin(awaited, 0);
    expect(slow.faultOf({ ...idle, bytesRead: 5000 }, true, 5000)).toBeUndefined();
    expect(slow.faultOf({ ...idle, bytesRead: 7000 }, true, 10_000)).toBeUndefined();
    expect(slow.faultOf({ ...idle, bytesRead: 7100 }, true, 15_000)).toBe('slow');
    const unread = new ConnectionWatch(0);
    unread.begin({ complete: false, readableFlowing: null }, 0);
    expect(unread.faultOf(idle, true, 15_000)).toBeUndefined();
  });

  it('ends an answer that is not read for 30 s', () => {
    const watch = new ConnectionWatch(0);
    watch.begin({ complete: true, readableFlowing: true }, 0);
    const stuck = { bytesRead: 100, bytesWritten: 9000, writableLength: 4000 };
    expect(watch.faultOf(stuck, true, 10_000)).toBeUndefined();
    expect(watch.faultOf({ ...stuck, writableLength: 3000 }, true, 40_000)).toBeUndefined();
    expect(watch.faultOf({ ...stuck, writableLength: 3000 }, true, 75_000)).toBe('unread');
  });

  it('gives a stranger’s request or upgrade 40 s, and those with a key as long as they need', () => {
    const request = new ConnectionWatch(0);
    request.begin({ complete: true, readableFlowing: true }, 0);
    const upgrade = new ConnectionWatch(0);
    upgrade.upgrade(0);
    for (const watch of [request, upgrade]) {
      expect(watch.faultOf(idle, false, 39_000)).toBeUndefined();
      expect(watch.faultOf(idle, true, 1_000_000)).toBeUndefined();
      expect(watch.faultOf(idle, false, 1_000_001)).toBe('slow');
    }
  });
});
