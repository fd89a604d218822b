import fc from 'fast-check';
import { type BodyOptions, composeBody } from '../../../src/events/body';
import { envelopeOf, eventBody, fixture, fixtureNames } from '../../support/values/events';

const URL = 'https://receiver.example.test/hook?x=1';

interface Options extends Omit<Partial<BodyOptions>, 'destination'> {
  readonly destination?: string;
  readonly routingKey?: string;
}

function compose(body: Buffer | string, options: Options = {}): Buffer {
  const { destination = URL, routingKey = '', ...others } = options;
  return composeBody(envelopeOf(body, { routingKey }), {
    stripApikey: false,
    ...others,
    destination: Buffer.from(JSON.stringify(destination)),
  });
}

/** The raw text of the value of a root key. */
function rawValue(body: Buffer, key: string): string | undefined {
  const span = envelopeOf(body).members.get(key);
  return span && body.toString('utf8', span.start, span.end);
}

describe('composeBody', () => {
  test('the webhook fixture comes out of the RabbitMQ fixture: same keys, same order, same values', () => {
    const expected = JSON.parse(fixture('transport.webhook.messages.upsert.json').toString('utf8')) as {
      destination: string;
    };
    const composed = compose(fixture('messages.upsert.json'), { destination: expected.destination });
    expect(JSON.stringify(JSON.parse(composed.toString('utf8')))).toBe(JSON.stringify(expected));
  });

  test.each(fixtureNames().filter((name) => name !== 'error.http-only.json'))(
    '%s: keys in the documented order, then extra keys in theirs; every value byte for byte',
    (name) => {
      const body = fixture(name);
      const source = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
      const documented = 'event instance data destination date_time sender server_url apikey'.split(' ');
      const ofSqs = 'dataType' in source && 'server' in source ? ['dataType', 'server'] : [];
      const extra = Object.keys(source).filter((key) => ![...documented, ...ofSqs].includes(key));
      const composed = compose(body);
      const result = JSON.parse(composed.toString('utf8')) as Record<string, unknown>;
      expect(Object.keys(result)).toEqual([
        ...documented.filter((key) => key === 'destination' || key in source),
        ...extra,
      ]);
      const { dataType, server, ...shared } = source;
      const expected = ofSqs.length > 0 ? shared : source;
      expect(result).toEqual({ ...expected, destination: URL });
      for (const key of ['data', ...extra]) expect(rawValue(composed, key)).toBe(rawValue(body, key));
    },
  );

  test('number text, escapes, duplicate keys, key order and white space of data do not change', () => {
    const data =
      '{ "id":12345678901234567890123,"big":1E400 ,"z":-0, "a":1.10,"a":"\\u00e9\\/","é":"😀", "2":1,"1":2 }';
    const composed = compose(`{"event":"call","instance":"i","data":${data}}`);
    expect(rawValue(composed, 'data')).toBe(data);
  });

  test('any data passes byte for byte', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2, '\t'), (value, indent) => {
        const data = JSON.stringify(value, undefined, indent);
        expect(rawValue(compose(`{"data":${data},"instance":"i","event":"e"}`), 'data')).toBe(data);
      }),
    );
  });

  test('any extra root keys follow in their order, with their bytes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (extra) => {
        const body = Buffer.from(JSON.stringify({ event: 'e', instance: 'i', data: {}, ...extra }));
        const { event, instance, data, ...others } = JSON.parse(body.toString('utf8')) as Record<
          string,
          unknown
        >;
        fc.pre(event === 'e' && instance === 'i' && data !== undefined);
        const result = JSON.parse(compose(body).toString('utf8')) as Record<string, unknown>;
        expect(result).toEqual({ event, instance, data, ...others, destination: URL });
      }),
    );
  });

  test('what the event calls its destination is replaced by the real one', () => {
    const result = compose(eventBody(1, { destination: 'https://elsewhere.example.test' }));
    expect(rawValue(result, 'destination')).toBe(JSON.stringify(URL));
    expect(result.toString('utf8').match(/"destination"/g)).toHaveLength(1);
  });

  test.each([
    '{"data":null}',
    '{"event":5,"instance":{},"data":null}',
    '{"event":"","instance":"","data":null}',
  ])('event and instance that only the transport told are written into the body: %s', (body) => {
    const result = compose(body, { routingKey: 'São "1".messages.upsert' });
    expect(JSON.parse(result.toString('utf8'))).toEqual({
      event: 'messages.upsert',
      instance: 'São "1"',
      data: null,
      destination: URL,
    });
  });

  test('apikey passes unless it is to be stripped', () => {
    const body = eventBody(1, { apikey: 's3cret' });
    expect(rawValue(compose(body), 'apikey')).toBe('"s3cret"');
    expect(compose(body, { stripApikey: true }).includes('apikey')).toBe(false);
  });

  test.each([
    '{"event":"e","instance":"i","data":1,"instanceToken":"s3cret","apikey":"s3cret"}',
    '{"event":"e","instanceName":"i","apikey":"s3cret","data":1,"instanceToken":"s3cret"}',
  ])("the other core's secret is stripped as well: %s", (body) => {
    const stripped = compose(body, { stripApikey: true });
    expect([stripped.includes('s3cret'), rawValue(stripped, 'data')]).toEqual([false, '1']);
  });

  test('media base64 is left out of data.message, and only there', () => {
    const data = '{"base64":"keep","message":{"a":1,"base64":"QUJD","b":{"base64":"keep"}},"x":"base64"}';
    const options = { omitFromData: ['message', 'base64'] };
    const result = compose(`{"event":"e","instance":"i","data":${data},"base64":"keep"}`, options);
    expect(rawValue(result, 'data')).toBe(
      '{"base64":"keep","message":{"a":1,"b":{"base64":"keep"}},"x":"base64"}',
    );
    expect(rawValue(result, 'base64')).toBe('"keep"');
  });

  test.each(['null', '[1,2]', '"base64"', '{"message":null,"base64":1}', '{"message":"\\"base64\\""}'])(
    'data %s without such media stays as it is',
    (data) => {
      const options = { omitFromData: ['message', 'base64'] };
      expect(rawValue(compose(`{"event":"e","instance":"i","data":${data}}`, options), 'data')).toBe(data);
    },
  );

  test('a body of 20 MB passes, with and without its media', () => {
    const media = Buffer.alloc(20_000_000, 'QUJD').toString('latin1');
    const body = Buffer.from(
      `{"event":"messages.upsert","instance":"i","data":{"message":{"base64":"${media}","id":9007199254740993}}}`,
    );
    expect(compose(body).includes(body.subarray(-100, -1))).toBe(true);
    expect(compose(body).length).toBeGreaterThan(20_000_000);
    const without = compose(body, { omitFromData: ['message', 'base64'] });
    expect(rawValue(without, 'data')).toBe('{"message":{"id":9007199254740993}}');
  });
});
