import { DELIVERED, FAILED } from '../../support/harness/pipeline-harness';
import { relayHarness as setup } from '../../support/harness/relay-harness';
import { turns } from '../../support/signals/signals';
import { goBody } from '../../support/values/events';
import { nth } from '../../support/values/items';

describe('emissions of evolution-go with the same bytes', () => {
  const idsOf = ({ destinations }: ReturnType<typeof setup>): readonly string[] =>
    nth(destinations, 0).attempts.map(({ delivery }) => delivery.id);
  const endAll = async ({ destinations }: ReturnType<typeof setup>): Promise<void> => {
    // One at a time: the destination takes no more.
    for (let index = 0; index < nth(destinations, 0).attempts.length; index++) {
      nth(destinations, 0).at(index).end(DELIVERED);
      await turns();
    }
  };

  test('are two deliveries, in deduplication too', async () => {
    const claims: string[] = [];
    const world = setup(1, {
      claim: async (id) => {
        claims.push(id);
        return claims.length === 1 ? 'fresh' : 'seen';
      },
      done: () => {},
      released: () => {},
    });
    const messages = [world.handOver(goBody(), false), world.handOver(goBody(), false)];
    await endAll(world);
    expect(messages.map(({ settlements }) => settlements)).toEqual([['ack'], ['ack']]);
    expect(new Set(idsOf(world)).size).toBe(2);
    expect(claims).toEqual([]);
  });

  test('are parked apart', async () => {
    const world = setup(1);
    for (let count = 0; count < 2; count++) {
      world.handOver(goBody(), false);
      nth(world.destinations, 0).at(count).end(FAILED);
      await turns();
    }
    expect(new Set(world.parking.parked.map(({ request }) => request.delivery.id)).size).toBe(2);
  });

  test('that come again while both are in flight settle both, and are not delivered anew', async () => {
    const world = setup(1);
    const first = [world.handOver(goBody(), false), world.handOver(goBody(), false)];
    for (const message of first) message.isLost = true;
    const again = [world.handOver(goBody()), world.handOver(goBody())];
    await endAll(world);
    expect(again.map(({ settlements }) => settlements)).toEqual([['ack'], ['ack']]);
    expect(idsOf(world)).toHaveLength(2);
    const third = world.handOver(goBody());
    await endAll(world);
    expect([third.settlements, idsOf(world).length]).toEqual([['ack'], 3]);
  });

  test('a copy of one that was settled when its channel was gone is acknowledged, once', async () => {
    const world = setup(1);
    const lost = world.handOver(goBody(), false);
    lost.isLost = true;
    await endAll(world);
    const [copy, other] = [world.handOver(goBody()), world.handOver(goBody())];
    expect(copy.settlements).toEqual(['ack']);
    expect(other.settlements).toEqual([]);
    await endAll(world);
    expect([other.settlements, idsOf(world).length]).toEqual([['ack'], 2]);
  });

  test('one that comes again after it was acknowledged is another emission: none is lost', async () => {
    const world = setup(1);
    world.handOver(goBody(), false);
    await endAll(world);
    world.handOver(goBody());
    await endAll(world);
    expect(new Set(idsOf(world)).size).toBe(2);
  });

  test('one that went back to the broker keeps its id when it comes again', async () => {
    const world = setup(1);
    world.parking.away = true;
    const first = world.handOver(goBody(), false);
    nth(world.destinations, 0).at(0).end(FAILED);
    await turns();
    world.parking.close();
    await turns();
    expect(first.settlements).toEqual(['release']);
    world.handOver(goBody());
    world.handOver(goBody());
    await endAll(world);
    const [before, again, other] = idsOf(world);
    expect(again).toBe(before);
    expect(other).not.toBe(before);
  });
});
