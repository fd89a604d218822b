import { instanceOf } from '../../../src/destinations/destination-ids';
import type { DestinationId } from '../../../src/pipeline/delivery';
import { Shares } from '../../../src/retry/shares';

const limits = { perInstance: 10, perGlobalDestination: 1000 };
const shares = new Shares({ limits, instanceOf });
const of = (destination: string, instance = 'loja') => shares.of(destination as DestinationId, instance);

describe('whose share a delivery is charged to (finding 1.6)', () => {
  test.each([
    ['webhook:instance/loja', 'instance/loja', 'instance/loja', 10],
    ['webhook:instance/loja/second', 'instance/loja', 'instance/loja', 10],
    ['pusher:instance/loja', 'instance/loja', 'instance/loja', 10],
    ['webhook:global', 'webhook:global', 'global/loja', 1000],
    ['pusher:global', 'pusher:global', 'global/loja', 1000],
  ])('%s: %s while parked, %s once dead', (destination, parkedBy, deadBy, maxParkedBytes) => {
    expect(of(destination)).toEqual({ parkedBy, deadBy, maxParkedBytes });
  });

  test('however long a name is, what it is charged under is short, and its own', () => {
    const [one, other] = [
      of('webhook:global', 'a'.repeat(100_000)),
      of('webhook:global', 'a'.repeat(100_001)),
    ];
    expect(one.deadBy.length).toBeLessThan(200);
    expect(one.deadBy).not.toBe(other.deadBy);
  });
});
