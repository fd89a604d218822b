import fc from 'fast-check';
import { CATALOGUE, filterKey, spellings } from '../../../../src/events/catalogue';
import type { EventFilter } from '../../../../src/events/filter';
import {
  boundQueues,
  type ConsumedExchange,
  planOf,
  type TopologyOptions,
} from '../../../../src/sources/rabbitmq/topology';

const DEDICATED: TopologyOptions = { mode: 'dedicated', queue: 'relay', prefixKey: '' };
const SHARED: TopologyOptions = { mode: 'shared', queue: 'relay', prefixKey: '' };

const global = (events: EventFilter): ConsumedExchange => ({ name: 'evolution_exchange', events });
const ofInstance = (events: EventFilter): ConsumedExchange => ({
  name: 'loja.centro',
  instance: 'loja.centro',
  events,
});

/** Whether a topic pattern matches a routing key (AMQP 0-9-1, 3.1.3.3). */
function matches(pattern: string, key: string): boolean {
  const match = (words: readonly string[], segments: readonly string[]): boolean => {
    const [word, ...rest] = words;
    if (word === undefined) return segments.length === 0;
    if (word === '#') return segments.some((_, n) => match(rest, segments.slice(n))) || match(rest, []);
    return segments.length > 0 && (word === '*' || word === segments[0]) && match(rest, segments.slice(1));
  };
  return match(pattern.split('.'), key.split('.'));
}

function bindings(
  events: EventFilter,
  options = DEDICATED,
): { bind: readonly string[]; unbind: readonly string[] } {
  const [only, ...others] = boundQueues(global(events), options);
  if (only === undefined || others.length > 0) throw new Error('one queue was expected');
  return only;
}

const filter = fc
  .uniqueArray(fc.constantFrom(...CATALOGUE.map(({ key }) => key)), { minLength: 1 })
  .map((keys) => new Set(keys));
const anyEvent = fc.constantFrom(...CATALOGUE.flatMap(spellings));
const instance = fc.stringMatching(/^[a-z]{1,5}(\.[a-z0-9]{1,4}){0,2}$/);

describe('dedicated mode', () => {
  test('without a filter everything is bound, events that are added later too', () => {
    expect(bindings('all').bind).toEqual(['#']);
    expect(boundQueues(ofInstance('all'), DEDICATED)).toMatchObject([{ queue: 'relay', bind: ['#'] }]);
  });

  test('with a filter both routing key styles are bound, instance names with dots included', () => {
    fc.assert(
      fc.property(filter, fc.constantFrom(...CATALOGUE), instance, (keys, type, name) => {
        fc.pre(keys.has(type.key));
        const { bind } = bindings(keys);
        for (const key of [...spellings(type), `${name}.${type.event}`]) {
          expect(bind.some((pattern) => matches(pattern, key))).toBe(true);
        }
      }),
    );
  });

  test('with a filter no other event of the core API is bound', () => {
    fc.assert(
      fc.property(filter, anyEvent, (keys, event) => {
        fc.pre(!keys.has(filterKey(event)));
        expect(bindings(keys).bind.filter((pattern) => matches(pattern, event))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('a filter that lets nothing pass binds nothing', () => {
    expect(bindings(new Set()).bind).toEqual([]);
  });

  test('whatever the filter was before, its stale bindings are unbound, and no wanted one is', () => {
    const anyFilter = fc.oneof(fc.constant('all' as const), filter);
    fc.assert(
      fc.property(anyFilter, anyFilter, (before, after) => {
        const { bind, unbind } = bindings(after);
        expect(unbind.filter((pattern) => bind.includes(pattern))).toEqual([]);
        const stale = bindings(before).bind.filter((pattern) => !bind.includes(pattern));
        expect(unbind).toEqual(expect.arrayContaining(stale));
      }),
    );
  });

  test('an event outside the catalogue is bound as its name is made', () => {
    expect(bindings(new Set(['BRAND_NEW'])).bind).toEqual(['#.brand.new']);
  });
});

describe('shared mode', () => {
  test('consumes the queues that the core API declares for the global exchange, with and without its prefix', () => {
    const keys = new Set(['MESSAGES_UPSERT', 'GROUP_PARTICIPANTS_UPDATE']);
    expect(boundQueues(global(keys), SHARED)).toEqual([
      { queue: 'messages.upsert', bind: ['messages.upsert'], unbind: [] },
      { queue: 'group-participants.update', bind: ['group-participants.update'], unbind: [] },
    ]);
    expect(boundQueues(global(keys), { ...SHARED, prefixKey: 'evo' })).toMatchObject([
      { queue: 'evo.messages.upsert', bind: ['messages.upsert'] },
      { queue: 'evo.group-participants.update', bind: ['group-participants.update'] },
    ]);
  });

  test('consumes {instance}.{event} for the exchange of an instance; the prefix is not for those', () => {
    expect(boundQueues(ofInstance(new Set(['CALL'])), { ...SHARED, prefixKey: 'evo' })).toEqual([
      { queue: 'loja.centro.call', bind: ['call'], unbind: [] },
    ]);
  });

  test('without a filter every event of the catalogue has its queue', () => {
    const queues = boundQueues(global('all'), SHARED).map(({ queue }) => queue);
    expect(queues).toEqual(CATALOGUE.map(({ event }) => event));
  });
});

describe('what a tenant may name', () => {
  test('events outside the catalogue make no queues of an instance in shared mode (finding 1.10)', () => {
    const names = new Set(['CALL', ...Array.from({ length: 200 }, (_, n) => `MADE_UP_${n}`)]);
    expect(boundQueues(ofInstance(names), SHARED).map(({ queue }) => queue)).toEqual(['loja.centro.call']);
  });

  test('they make a bounded number of bindings in dedicated mode, and do not crowd out known ones', () => {
    const names = new Set([...Array.from({ length: 500 }, (_, n) => `MADE_UP_${n}`), 'CALL']);
    const { bind } = boundQueues(ofInstance(names), DEDICATED)[0] ?? { bind: [] };
    expect(bind).toContain('#.call');
    expect(bind.length).toBeLessThan(100);
  });

  test('an event that AMQP cannot take leaves out that event alone (finding 2.2)', () => {
    const plan = planOf(ofInstance(new Set(['字'.repeat(100), 'CHATS_SET'])), DEDICATED);
    expect(plan.bound.map(({ bind }) => bind)).toEqual([['#.chats.set']]);
    expect(plan.flawed.map(({ code }) => code)).toEqual(['NAME_TOO_LONG']);
  });

  test('a name that makes some queue names too long leaves out those queues alone (finding 2.2)', () => {
    const name = 'x'.repeat(245);
    const plan = planOf({ name, instance: name, events: new Set(['CALL', 'MESSAGES_UPSERT']) }, SHARED);
    expect(plan.bound.map(({ queue }) => queue)).toEqual([`${name}.call`]);
    expect(plan.flawed).toHaveLength(1);
  });

  test('a name that AMQP cannot take leaves out the instance (finding 2.2)', () => {
    const name = '日'.repeat(90);
    const plan = planOf({ name, instance: name, events: 'all' }, DEDICATED);
    expect([plan.flaw?.code, plan.bound]).toEqual(['NAME_TOO_LONG', []]);
  });

  test('an instance that is named like the global exchange does not get that one', () => {
    const options = { ...DEDICATED, reserved: ['evolution_exchange'] };
    const plan = planOf(
      { name: 'evolution_exchange', instance: 'evolution_exchange', events: 'all' },
      options,
    );
    expect(plan.flaw?.code).toBe('NAME_TAKEN');
    expect(planOf(global('all'), options).flaw).toBeUndefined();
  });
});
