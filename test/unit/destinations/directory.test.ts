import { instanceId } from '../../../src/destinations/destination-ids';
import { type DestinationFamily, Destinations } from '../../../src/destinations/directory';
import { ContentFilter } from '../../../src/filters/content-filter';
import {
  type Delivery,
  type DestinationId,
  destinationKey,
  type Outcome,
} from '../../../src/pipeline/delivery';
import type { ParkRequest } from '../../../src/pipeline/parking';
import type { Subscription } from '../../../src/pipeline/route';
import type { InForce } from '../../../src/settings/settings-cache';
import { SettingsUnreadableError } from '../../../src/settings/settings-errors';
import { settingsTo } from '../../support/fakes/settings';
import { FakeDestination } from '../../support/harness/pipeline-harness';
import { envelopeOf, eventBody, goBody } from '../../support/values/events';

const subscriptionTo = (id: string): Subscription => ({
  destination: new FakeDestination(id),
  key: destinationKey(id as DestinationId),
  events: 'all',
});
const OWN = ['webhook:instance/loja-centro', 'webhook:instance/loja-centro/n8n'];
const STAND_IN = 'unreadable:instance/loja-centro';
const SETTINGS = settingsTo('https://a.test/');
const UNREADABLE = new SettingsUnreadableError('loja-centro', new Error('odd'));

class World {
  inForce: InForce = UNREADABLE;
  readonly parked: ParkRequest[] = [];
  readonly rejected: string[] = [];
  isStoreClosed = false;
  makesOwn = true;
  content: ContentFilter | undefined;
  readonly family: DestinationFamily = {
    globals: [subscriptionTo('webhook:global')],
    own: () => {
      if (!this.makesOwn) throw new TypeError('settings.webhooks is not iterable');
      return OWN.map((id) => ({ ...subscriptionTo(id), content: this.content }));
    },
    close: async () => {},
  };
  readonly filtered: Delivery[] = [];
  readonly destinations = new Destinations({
    maxShare: 0.25,
    families: [this.family],
    countFiltered: (deliveries) => this.filtered.push(...deliveries),
    settings: {
      of: () => this.inForce,
      reject: (instance) => {
        this.rejected.push(instance);
        return UNREADABLE;
      },
    },
    parking: {
      park: (request) => {
        this.parked.push(request);
        const settled = this.isStoreClosed
          ? Promise.reject(new Error('closed'))
          : Promise.resolve('stored' as const);
        return { settled, withdraw: () => {} };
      },
    },
  });

  async route(number = 1): Promise<{ ids: string[]; targets: string[] }> {
    const { deliveries } = await this.destinations.route(envelopeOf(eventBody(number)));
    return {
      ids: deliveries.map(({ id }) => id),
      targets: deliveries.map(({ destination }) => destination.id),
    };
  }

  /** The delivery to what stands in for the instance's own destinations, attempted once. */
  async attemptStandIn(): Promise<Outcome> {
    const { deliveries } = await this.destinations.route(envelopeOf(eventBody(1)));
    const [, delivery] = deliveries;
    if (delivery === undefined) throw new Error('there is no delivery to it');
    return delivery.destination.start(delivery, 1).outcome;
  }
}

describe('an instance whose settings cannot be read (finding 2.1)', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  it('has its events at the global destinations as usual; for its own they wait', async () => {
    expect((await world.route()).targets).toEqual(['webhook:global', STAND_IN]);
  });

  it('spends no attempt, asks nobody, and is not asked again soon', async () => {
    expect(await world.attemptStandIn()).toEqual({
      kind: 'interrupted',
      code: 'SETTINGS_UNREADABLE',
      retryAfterMs: expect.any(Number),
    });
    const destination = await world.destinations.find(STAND_IN as DestinationId, 'loja-centro');
    expect([destination?.maxAttempts, world.parked]).toEqual([Number.MAX_SAFE_INTEGER, []]);
  });

  it('once readable, each of its destinations gets what waited, under the id that it would have had', async () => {
    const [, waiting] = (await world.destinations.route(envelopeOf(eventBody(1)))).deliveries;
    world.inForce = SETTINGS;
    world.destinations.changed('loja-centro');
    const usual = await world.route();
    expect(usual.targets).toEqual(['webhook:global', ...OWN]);
    if (waiting === undefined) throw new Error('nothing waits');
    expect(await waiting.destination.start(waiting, 5).outcome).toEqual({ kind: 'delivered' });
    expect(world.parked.map(({ delivery }) => delivery.id)).toEqual(usual.ids.slice(1));
    expect(world.parked.map(({ reason, attemptsMade }) => [reason, attemptsMade])).toEqual([
      ['unreadable', 0],
      ['unreadable', 0],
    ]);
  });

  it('is handed over by what its destinations want now: what they leave out counts as discarded', async () => {
    const [, waiting] = (await world.destinations.route(envelopeOf(eventBody(1)))).deliveries;
    world.inForce = SETTINGS;
    world.content = ContentFilter.of({ fromMe: true });
    if (waiting === undefined) throw new Error('nothing waits');
    expect(await waiting.destination.start(waiting, 5).outcome).toEqual({ kind: 'delivered' });
    expect(world.parked).toEqual([]);
    expect(world.filtered.map(({ destination }) => destination.id)).toEqual(OWN);
  });

  it('that became readable without a word is found so by an attempt', async () => {
    await world.route();
    world.inForce = SETTINGS;
    expect(await world.attemptStandIn()).toEqual({ kind: 'delivered' });
    expect((await world.route()).targets).toEqual(['webhook:global', ...OWN]);
  });

  it('is handed over again where the store was closed in between: the ids are the same', async () => {
    await world.route();
    world.inForce = SETTINGS;
    world.isStoreClosed = true;
    const destination = await world.destinations.find(STAND_IN as DestinationId, 'loja-centro');
    const envelope = envelopeOf(eventBody(1));
    const delivery = { id: 'dlv_x' as never, envelope, destination: destination as never };
    expect(await destination?.start(delivery, 1).outcome).toMatchObject({ kind: 'interrupted' });
    world.isStoreClosed = false;
    expect(await destination?.start(delivery, 2).outcome).toEqual({ kind: 'delivered' });
    const ids = world.parked.map((request) => request.delivery.id);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  });

  it('keeps what is parked for its destinations: whether they are still there is not known', async () => {
    const destination = await world.destinations.find(OWN[0] as DestinationId, 'loja-centro');
    expect(destination).toMatchObject({ id: OWN[0], kind: 'webhook', maxAttempts: Number.MAX_SAFE_INTEGER });
    const delivery = {
      id: 'dlv_x' as never,
      envelope: envelopeOf(eventBody(1)),
      destination: destination as never,
    };
    expect(await destination?.start(delivery, 11).outcome).toMatchObject({ kind: 'interrupted' });
    world.inForce = SETTINGS;
    world.destinations.changed('loja-centro');
    expect(await world.destinations.find(OWN[0] as DestinationId, 'loja-centro')).toBeInstanceOf(
      FakeDestination,
    );
  });

  it('that is removed has no destination any more, neither its own nor what stood for them', async () => {
    world.inForce = undefined;
    for (const id of [STAND_IN, ...OWN]) {
      expect(await world.destinations.find(id as DestinationId, 'loja-centro')).toBeUndefined();
    }
  });

  it('is one of whose settings no destination can be made, too', async () => {
    world.inForce = SETTINGS;
    world.makesOwn = false;
    expect((await world.route()).targets).toEqual(['webhook:global', STAND_IN]);
    expect(world.rejected).toEqual(['loja-centro']);
  });

  it('ends an attempt that waits for Redis when it is told to', async () => {
    await world.route();
    world.inForce = SETTINGS;
    const never = new World();
    never.inForce = UNREADABLE;
    const [, delivery] = (await never.destinations.route(envelopeOf(eventBody(1)))).deliveries;
    if (delivery === undefined) throw new Error('there is no delivery to it');
    Object.assign(never, { inForce: new Promise(() => {}) });
    const running = delivery.destination.start(delivery, 1);
    running.abort('shutdown');
    expect(await running.outcome).toMatchObject({ kind: 'interrupted', code: 'ATTEMPT_ABORTED' });
  });
});

it('a destination whose stored name is damaged is none', async () => {
  const { destinations } = new World();
  expect(await destinations.find('webhook:instance/%zz' as DestinationId, 'loja-centro')).toBeUndefined();
  expect(instanceId('unreadable', 'a b')).toBe('unreadable:instance/a%20b');
});

describe('an instance of evolution-go', () => {
  const ID = '7c1f5b0e-2d3a-4f77-9a51-3c0c1f6f2b10';
  const targets = async (set: readonly string[]): Promise<string[]> => {
    const destinations = new Destinations({
      maxShare: 0.25,
      families: [
        {
          globals: [subscriptionTo('webhook:global')],
          own: (instance) => [subscriptionTo(instanceId('webhook', instance))],
          close: async () => {},
        },
      ],
      settings: {
        of: async (instance) => (set.includes(instance) ? SETTINGS : undefined),
        reject: () => UNREADABLE,
      },
      parking: { park: () => ({ settled: Promise.resolve('stored'), withdraw: () => {} }) },
      countFiltered: () => {},
    });
    const { deliveries } = await destinations.route(envelopeOf(goBody()));
    return deliveries.map(({ destination }) => destination.id);
  };

  it.each([
    ['nothing', [], ['webhook:global']],
    ['its name', ['vendas'], ['webhook:global', 'webhook:instance/vendas']],
    ['its id', [ID], ['webhook:global', `webhook:instance/${ID}`]],
    ['both: the name counts', [ID, 'vendas'], ['webhook:global', 'webhook:instance/vendas']],
  ])('has its settings under %s', async (_what, set, expected) => {
    expect(await targets(set)).toEqual(expected);
  });
});
