import fc from 'fast-check';
import { composeBody } from '../../../src/events/body';
import type { Envelope } from '../../../src/events/envelope';
import { normalised } from '../../../src/events/normalise';
import { envelopeOf, fixture, fixtureNames } from '../../support/values/events';

const eventWith = (data: string): Envelope =>
  envelopeOf(`{"extra":[1 , 2],"event":"x","instance":"i","data":${data},"sender":"s" }`);

/** The text of `data` after it was normalised. */
function dataOf(envelope: Envelope): string {
  const { body, members } = envelope;
  const { start, end } = members.get('data') ?? { start: 0, end: 0 };
  return body.toString('utf8', start, end);
}

const rewritten = (data: string): string => dataOf(normalised(eventWith(data), { bytes: true }));

/** JSON text in pieces, each with what becomes of it. */
interface Piece {
  readonly was: string;
  readonly is: string;
}

const same = (text: string): Piece => ({ was: text, is: text });
const space = fc.constantFrom('', '', ' ', '\n\t ');
const scalar = fc
  .oneof(
    fc.json({ maxDepth: 0 }),
    fc.constantFrom(
      '1.50',
      '-0',
      '1E+2',
      '12345678901234567890',
      '"\\u00e9 \\"{\\"0\\":1}\\" \\\\"',
      '"a\\\\"',
    ),
  )
  .map(same);
const bytes = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), space).map(([array, gap]) => ({
  was: `{${[...array].map((byte, index) => `${gap}"${index}"${gap}:${gap}${byte}${gap}`).join(',')}}`,
  is: `"${Buffer.from(array).toString('base64')}"`,
}));
const long = fc
  .tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), fc.boolean(), space)
  .map(([value, isLow, gap]) => {
    const unsigned = value >= 2n ** 63n || (isLow && value >= 0n);
    const low = BigInt.asIntN(32, value);
    const high = BigInt.asIntN(32, value >> 32n);
    return {
      was: `{${gap}"low":${gap}${low},"high":${high}${gap},"unsigned":${unsigned}${gap}}`,
      is: `"${value}"`,
    };
  });
/** Like the two, and neither. */
const neither = fc
  .constantFrom(
    '{}',
    '{"0":256}',
    '{"0":-1}',
    '{"0":-0}',
    '{"0":1.5}',
    '{"0":1e1}',
    '{"0":"1"}',
    '{"0":1,"2":3}',
    '{"1":1}',
    '{"0":1,"x":2}',
    '{"0":1,"0":2}',
    '{"0":null}',
    '{"low":1,"high":0}',
    '{"low":1,"high":0,"unsigned":1}',
    '{"low":1,"high":0,"unsigned":true,"more":1}',
    '{"low":1,"low":0,"unsigned":true}',
    '{"low":1.5,"high":0,"unsigned":true}',
    '{"low":99999999999,"high":0,"unsigned":true}',
    '{"lowest":1}',
  )
  .map(same);
const { tree } = fc.letrec<{ tree: Piece }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    bytes,
    long,
    neither,
    fc.tuple(fc.array(tie('tree'), { maxLength: 4 }), space).map(([items, gap]) => ({
      was: `[${gap}${items.map(({ was }) => was).join(`${gap},`)}]`,
      is: `[${gap}${items.map(({ is }) => is).join(`${gap},`)}]`,
    })),
    fc
      .tuple(
        fc.array(fc.tuple(fc.constantFrom('"a"', '"low "', '"00"', '"\\u0030"'), tie('tree')), {
          maxLength: 4,
        }),
        space,
      )
      .map(([members, gap]) => ({
        was: `{${members.map(([key, { was }]) => `${key}${gap}:${was}`).join(',')}}`,
        is: `{${members.map(([key, { is }]) => `${key}${gap}:${is}`).join(',')}}`,
      })),
  ),
}));

describe('bytes: true', () => {
  test('rewrites byte objects and Longs, and nothing else: every other byte stays', () => {
    fc.assert(
      fc.property(tree, ({ was, is }) => {
        expect(rewritten(was)).toBe(is);
      }),
      { numRuns: 500 },
    );
  });

  test('applied twice is the same as once', () => {
    fc.assert(
      fc.property(tree, ({ was }) => {
        const once = normalised(eventWith(was), { bytes: true });
        expect(normalised(once, { bytes: true }).body.equals(once.body)).toBe(true);
      }),
    );
  });

  test('leaves everything around data as it was, and finds it where it now stands', () => {
    fc.assert(
      fc.property(tree, ({ was, is }) => {
        const event = normalised(eventWith(was), { bytes: true });
        expect(event.body.toString()).toBe(eventWith(is).body.toString());
        expect(event.members).toEqual(eventWith(is).members);
      }),
    );
  });

  test('is the same event as before: its id does not change', () => {
    const before = envelopeOf(fixture('messages.upsert.image-2.3.6.json'));
    const after = normalised(before, { bytes: true });
    expect([after.id, after.contentKey]).toEqual([before.id, before.contentKey]);
    expect(after.body.length).toBeLessThan(before.body.length / 2);
  });

  test('makes of every fixture what JSON says it is', () => {
    for (const name of fixtureNames()) {
      const before = envelopeOf(fixture(name), { routingKey: '', instance: 'i' });
      const after = normalised(before, { bytes: true });
      const data = before.members.has('data') ? JSON.parse(dataOf(before)) : undefined;
      if (data === undefined) expect(after).toBe(before);
      else expect([name, JSON.parse(dataOf(after))]).toEqual([name, plain(data)]);
    }
  });

  test('of one event is made once for all destinations that ask for it; without it nothing is made', () => {
    const event = envelopeOf(fixture('messages.upsert.json'));
    expect(normalised(event, { bytes: true })).toBe(normalised(event, { bytes: true }));
    expect(normalised(event, {})).toBe(event);
    expect(normalised(event, { bytes: false })).toBe(event);
    const plainEvent = envelopeOf(fixture('messages.upsert.image-lite.json'));
    expect(normalised(plainEvent, { bytes: true })).toBe(plainEvent);
  });

  test('goes together with leaving media out, and with the order of the keys', () => {
    const event = eventWith(
      '{"message":{"base64":"AAAA","secret":{"0":255},"length":{"low":1,"high":1,"unsigned":false}}}',
    );
    const body = composeBody(normalised(event, { bytes: true }), {
      stripApikey: true,
      omitFromData: ['message', 'base64'],
    });
    expect(JSON.parse(body.toString())).toEqual({
      event: 'x',
      instance: 'i',
      data: { message: { secret: '/w==', length: '4294967297' } },
      sender: 's',
      extra: [1, 2],
    });
  });

  test('takes time that grows with the size, whatever is in it', () => {
    const almost = `{"0":${'{"0":1,"1":2,"2":'.repeat(20_000)}"x"${'}'.repeat(20_000)}}`;
    expect(rewritten(almost)).toBe(almost);
    const backslashes = `{"0":"${'\\\\'.repeat(200_000)}"}`;
    expect(rewritten(backslashes)).toBe(backslashes);
    const quotes = `["${'\\"'.repeat(100_000)}",{"0":7}]`;
    expect(rewritten(quotes)).toBe(quotes.replace('{"0":7}', '"Bw=="'));
  });
});

/** What it means, by parsing. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const entries = Object.entries(value as Record<string, unknown>);
  const isBytes = entries.every(
    ([key, byte], index) =>
      key === String(index) && Number.isInteger(byte) && (byte as number) >= 0 && (byte as number) < 256,
  );
  if (entries.length > 0 && isBytes)
    return Buffer.from(entries.map(([, byte]) => byte as number)).toString('base64');
  const { low, high, unsigned, ...rest } = value as Record<string, unknown>;
  if (
    typeof low === 'number' &&
    typeof high === 'number' &&
    typeof unsigned === 'boolean' &&
    Object.keys(rest).length === 0
  ) {
    const bits = (BigInt(high) << 32n) | BigInt.asUintN(32, BigInt(low));
    return String(unsigned ? BigInt.asUintN(64, bits) : bits);
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
}
