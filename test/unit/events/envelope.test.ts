import fc from 'fast-check';
import { CATALOGUE } from '../../../src/events/catalogue';
import { codeOf, envelopeOf, eventBody, fixture, fixtureNames } from '../../support/values/events';

/** Never an event: the core API's error webhook, which no broker carries (docs/core-api.md#other-transports). */
const NOT_AN_EVENT = 'error.http-only.json';
const FIXTURES = fixtureNames().filter((name) => name !== NOT_AN_EVENT);

/** The same event with its root keys in another order, values byte for byte. */
function reordered(body: Buffer, order: readonly string[]): Buffer {
  const { members } = envelopeOf(body);
  const parts = order.flatMap((key) => {
    const span = members.get(key);
    return span === undefined ? [] : `${JSON.stringify(key)}:${body.toString('utf8', span.start, span.end)}`;
  });
  return Buffer.from(`{${parts.join(',')}}`);
}

describe('parseEnvelope', () => {
  test.each(FIXTURES)('%s: event, instance and time are those of the body', (name) => {
    const body = fixture(name);
    const expected = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    const { event, instance, dateTime, members, body: kept } = envelopeOf(body);
    expect({ event, instance, dateTime }).toEqual({
      event: expected['event'],
      instance: expected['instance'],
      dateTime: expected['date_time'],
    });
    expect([...members.keys()]).toEqual(Object.keys(expected));
    expect(kept.equals(body)).toBe(true);
  });

  test('every fixture is an event of its own, except for the copies by other transports', () => {
    const own = FIXTURES.filter((name) => !name.startsWith('transport.'));
    expect(new Set(own.map((name) => envelopeOf(fixture(name)).id)).size).toBe(own.length);
  });

  test('the error webhook of the core API is no event', () => {
    expect(codeOf(fixture(NOT_AN_EVENT), 'error')).toBe('INSTANCE_MISSING');
  });

  test.each(['transport.sqs.messages.upsert.json', 'transport.sqs-lite.messages.upsert.json'])(
    'the copy that came by SQS has the id of the one that came by RabbitMQ: %s',
    (name) => {
      expect(envelopeOf(fixture(name)).id).toBe(envelopeOf(fixture('messages.upsert.json')).id);
    },
  );

  test('the id does not depend on the order of root keys nor on keys that the transport adds', () => {
    const body = eventBody(1);
    const keys = [...envelopeOf(body).members.keys()];
    fc.assert(
      fc.property(fc.shuffledSubarray(keys, { minLength: keys.length }), (order) => {
        expect(envelopeOf(reordered(body, order)).id).toBe(envelopeOf(body).id);
      }),
    );
    expect(envelopeOf(eventBody(1, { dataType: 'json', server: 'evolution', apikey: 'x' })).id).toBe(
      envelopeOf(body).id,
    );
  });

  test('whatever identifies the emission changes the id', () => {
    const ids = [
      eventBody(1),
      eventBody(2),
      eventBody(1, { instance: 'other' }),
      eventBody(1, { event: 'messages.update' }),
      eventBody(1, { date_time: '2025-11-03T14:22:07.416Z' }),
      eventBody(1, { date_time: undefined }),
      eventBody(1, { data: null }),
      eventBody(1, { data: undefined }),
    ].map((body) => envelopeOf(body).id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('fields never run into each other in the id', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), fc.nat(), (a, b, cut) => {
        const joined = a + b;
        const at = 1 + (cut % (joined.length - 1));
        const [x, y] = [joined.slice(0, at), joined.slice(at)];
        fc.pre(x !== a);
        expect(envelopeOf(JSON.stringify({ event: a, instance: b })).id).not.toBe(
          envelopeOf(JSON.stringify({ event: x, instance: y })).id,
        );
      }),
    );
  });

  test('the id is the same in every version: what is parked under it must be found again', () => {
    expect(envelopeOf(eventBody(1)).id).toBe('eZ5rXqmGDJTOnUEtfjbM9R');
    expect(envelopeOf(eventBody(1)).id).toMatch(/^[\w-]{22}$/);
  });

  test('of duplicate root keys the last counts, as for JSON.parse', () => {
    const { event, instance } = envelopeOf('{"event":"a","instance":"x","event":"b","instance":"y"}');
    expect({ event, instance }).toEqual({ event: 'b', instance: 'y' });
  });

  test('escapes in event and instance are decoded', () => {
    const { event, instance } = envelopeOf('{"\\u0065vent":"call\\u002e\\/x","instance":"S\\u00e3o 🚀"}');
    expect({ event, instance }).toEqual({ event: 'call./x', instance: 'São 🚀' });
  });

  test('unknown events and unknown root keys pass', () => {
    const { event, members } = envelopeOf('{"event":"brand.new","instance":"i","isLatest":true}');
    expect([event, members.has('isLatest')]).toEqual(['brand.new', true]);
  });
});

describe('what the body does not say comes from the transport', () => {
  const bare = '{"data":{"a":1}}';

  test.each(CATALOGUE.map(({ event }) => event))('both routing key styles name %s', (event) => {
    const fromKey = (routingKey: string): unknown => {
      const { event: found, instance } = envelopeOf(bare, { routingKey });
      return [found, instance];
    };
    expect(fromKey(`my-instance.${event}`)).toEqual([event, 'my-instance']);
    expect(fromKey(`my.dotted.instance.${event}`)).toEqual([event, 'my.dotted.instance']);
    expect(envelopeOf(bare, { routingKey: event, instance: 'exchange-name' })).toMatchObject({
      event,
      instance: 'exchange-name',
    });
  });

  test('any instance name with dots is found before the event', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
    const event = fc.constantFrom(...CATALOGUE.map((type) => type.event));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), event, (segments, name) => {
        const instance = segments.join('.');
        expect(envelopeOf(bare, { routingKey: `${instance}.${name}` })).toMatchObject({
          event: name,
          instance,
        });
      }),
    );
  });

  test('the exchange of an instance says more than the routing key', () => {
    const origin = { routingKey: 'wrong.messages.upsert', instance: 'right' };
    expect(envelopeOf(bare, origin)).toMatchObject({ event: 'messages.upsert', instance: 'right' });
  });

  test('the body says more than the transport', () => {
    const origin = { routingKey: 'key.call', instance: 'exchange' };
    expect(envelopeOf(eventBody(1), origin)).toMatchObject({
      event: 'messages.upsert',
      instance: 'loja-centro',
    });
  });

  test.each(['""', 'null', '5', '{}'])('an event or instance of %s in the body is none', (nothing) => {
    const body = `{"event":${nothing},"instance":${nothing}}`;
    expect(envelopeOf(body, { routingKey: 'x.call' })).toMatchObject({ event: 'call', instance: 'x' });
  });

  test('an event from the body, the instance from the routing key', () => {
    expect(envelopeOf('{"event":"call"}', { routingKey: 'x.call' })).toMatchObject({
      event: 'call',
      instance: 'x',
    });
  });
});

describe('what can never be an event is malformed', () => {
  test.each([
    ['nothing', '', 'BODY_EMPTY'],
    ['text', 'hello', 'BODY_NOT_OBJECT'],
    ['a JSON array', '[{"event":"call","instance":"x"}]', 'BODY_NOT_OBJECT'],
    ['a JSON string', '"{}"', 'BODY_NOT_OBJECT'],
    ['null', 'null', 'BODY_NOT_OBJECT'],
    ['a cut object', '{"event":"call","instance":"x"', 'BODY_NOT_JSON'],
    ['two objects', '{"event":"call","instance":"x"}{}', 'BODY_NOT_JSON'],
    ['no event', '{"instance":"x"}', 'EVENT_MISSING'],
    ['no instance', '{"event":"call"}', 'INSTANCE_MISSING'],
  ])('%s', (_what, body, code) => {
    expect(codeOf(body)).toBe(code);
  });

  test.each([
    ['an overlong encoding', [0xc0, 0xaf]],
    ['a lone continuation byte', [0x80]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a cut sequence', [0xf0, 0x9f, 0x98]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('a body that is not UTF-8: %s', (_what, bytes) => {
    const body = Buffer.concat([
      Buffer.from('{"event":"call","instance":"x","data":"'),
      Buffer.from(bytes),
      Buffer.from('"}'),
    ]);
    expect(codeOf(body)).toBe('BODY_NOT_UTF8');
  });

  test('any bytes at all are an envelope or malformed, never another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.string(), (bytes, routingKey) => {
        codeOf(Buffer.from(bytes), routingKey);
      }),
      { numRuns: 1000 },
    );
  });
});
