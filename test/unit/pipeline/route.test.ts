import fc from 'fast-check';
import { CATALOGUE, filterKey, findKey } from '../../../src/events/catalogue';
import type { EventFilter } from '../../../src/events/filter';
import { ContentFilter } from '../../../src/filters/content-filter';
import { destinationKey, destinationKeyOf } from '../../../src/pipeline/delivery';
import { route, type Subscription } from '../../../src/pipeline/route';
import { settle } from '../../../src/pipeline/settle';
import { FakeDestination } from '../../support/harness/pipeline-harness';
import { envelopeOf, eventBody } from '../../support/values/events';

function subscription(name: string, events: EventFilter = 'all'): Subscription {
  const destination = new FakeDestination(`webhook:${name}`);
  return { destination, key: destinationKey(destination.id), events };
}

const event = fc.oneof(
  fc.constantFrom(...CATALOGUE.flatMap((type) => [type.event, ...(type.otherEvents ?? [])])),
  fc.stringMatching(/^[a-z]{1,5}\.[a-z-]{1,6}$/),
);
const filter: fc.Arbitrary<EventFilter> = fc.oneof(
  fc.constant('all' as const),
  fc.uniqueArray(fc.constantFrom(...CATALOGUE.map(({ key }) => key))).map((keys) => new Set(keys)),
);

describe('route', () => {
  test('one delivery for every subscription whose filter lets the event pass, in their order', () => {
    fc.assert(
      fc.property(event, fc.array(filter, { maxLength: 5 }), (name, filters) => {
        const subscriptions = filters.map((events, index) => subscription(String(index), events));
        const { deliveries } = route(envelopeOf(eventBody(1, { event: name })), subscriptions);
        const expected = subscriptions.filter(
          ({ events }) => events === 'all' || events.has(filterKey(name)),
        );
        expect(deliveries.map(({ destination }) => destination)).toEqual(
          expected.map(({ destination }) => destination),
        );
      }),
    );
  });

  test.each([
    ['groups.update', 'GROUP_UPDATE'],
    ['groups.update', 'GROUPS_UPDATE'],
    ['group.update', 'GROUPS_UPDATE'],
    ['message.upsert', 'MESSAGES_UPSERT'],
    ['typebot.change.status', 'TYPEBOT_CHANGE_STATUS'],
    ['brand.new', 'BRAND_NEW'],
  ])('%s passes where %s is subscribed', (name, key) => {
    const wanted = subscription('a', new Set([findKey(key)?.key ?? key]));
    expect(route(envelopeOf(eventBody(1, { event: name })), [wanted]).deliveries).toHaveLength(1);
  });

  test('the id of a delivery is of the event and the destination: stable, and different for each pair', () => {
    const subscriptions = [subscription('a'), subscription('b')];
    const ids = (body: Buffer): string[] =>
      route(envelopeOf(body), subscriptions).deliveries.map(({ id }) => id);
    expect(ids(eventBody(1))).toEqual(ids(eventBody(1, { sender: 'other transport' })));
    expect(new Set([...ids(eventBody(1)), ...ids(eventBody(2))]).size).toBe(4);
  });

  test('the id is one that BullMQ takes, and names its destination for the audit', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (name, number) => {
        const target = subscription(name);
        for (const { id } of route(envelopeOf(eventBody(number)), [target]).deliveries) {
          expect(id).toMatch(/^dlv_[\w-]{30}$/);
          expect(destinationKeyOf(id)).toBe(target.key);
        }
      }),
    );
  });

  test('conditions on content leave deliveries out; what the event says is decoded once, and only where one asks', () => {
    const parse = jest.spyOn(JSON, 'parse');
    const without = [subscription('a'), subscription('b', new Set())];
    const own = ContentFilter.of({ fromMe: true });
    const others = ContentFilter.of({ filter: { 'data.key.fromMe': false } });
    const envelope = envelopeOf(eventBody(1));
    route(envelope, [...without, { ...subscription('c', new Set()), content: own }]);
    expect(parse).not.toHaveBeenCalled();
    const { deliveries, filtered } = route(envelope, [
      ...without,
      { ...subscription('c'), content: own },
      { ...subscription('d'), content: others },
    ]);
    expect(parse).toHaveBeenCalledTimes(1);
    parse.mockRestore();
    expect(deliveries.map(({ destination: { id } }) => id)).toEqual(['webhook:a', 'webhook:d']);
    expect(filtered.map(({ destination: { id } }) => id)).toEqual(['webhook:c']);
  });

  test('what a destination is called is not to be read from the id', () => {
    const [delivery] = route(envelopeOf(eventBody(1)), [subscription('s3cret')]).deliveries;
    expect(delivery?.id).not.toContain('s3cret');
  });
});

describe('settle', () => {
  test.each([
    [[], 'ack'],
    [['delivered'], 'ack'],
    [['stored'], 'ack'],
    [['delivered', 'stored'], 'ack'],
    [['untouched'], 'release'],
    [['unstored'], 'release'],
    [['untouched', 'untouched'], 'release'],
    [['delivered', 'unstored'], 'release'],
    [['stored', 'unstored'], 'release'],
    [['stored', 'untouched'], 'release'],
  ] as const)('%j: %s', (results, settlement) => {
    expect(settle(results)).toBe(settlement);
  });
});
