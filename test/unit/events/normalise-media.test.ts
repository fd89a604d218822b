import fc from 'fast-check';
import type { Envelope } from '../../../src/events/envelope';
import { type Media, mediaIn, withMediaLink } from '../../../src/events/normalise-media';
import { MediaLinks } from '../../../src/references/media-links';
import { headOf, packed } from '../../../src/references/packed-media';
import { type Reference, ReferenceTooLargeError } from '../../../src/references/reference-store';
import { envelopeOf, fixture, goFixture } from '../../support/values/events';
import { storedMedia } from '../../support/values/stored-media';

const LINK = {
  url: 'https://relay.example.test/media/media_x?expires=1&signature=y',
  expires: '2026-01-01T00:00:00.000Z',
};
const eventWith = (data: string): Envelope =>
  envelopeOf(`{"extra":[1 , 2],"event":"x","instance":"i","data":${data},"sender":"s" }`);
/** With its bytes, where what stands there is base64. */
const decodedIn = (envelope: Envelope): (Media & { readonly bytes: Buffer }) | undefined => {
  const media = mediaIn(envelope);
  const stored = media === undefined ? undefined : packed(envelope.body, media);
  if (media === undefined || stored === undefined) return undefined;
  return { ...media, bytes: stored.subarray(headOf(stored).begin) };
};
const linked = (envelope: Envelope): Envelope => {
  const media = decodedIn(envelope);
  return media === undefined ? envelope : withMediaLink(envelope, media, LINK);
};
const textOf = ({ body }: Envelope): string => body.toString();

describe('media', () => {
  test.each([
    ['the core API', fixture('messages.upsert.image-lite.json'), 'message'],
    ['the core API 2.3.6, beside a link of its own', fixture('messages.upsert.image-2.3.6.json'), 'message'],
    ['evolution-go', goFixture('message.image'), 'Message'],
  ] as const)('of %s is a link with its type and size, and everything else stays', (_what, body, name) => {
    const was = JSON.parse(body.toString()) as { data: Record<string, Record<string, unknown>> };
    const { base64, ...rest } = was.data[name] ?? {};
    const before = envelopeOf(body);
    const after = linked(before);
    const now = JSON.parse(textOf(after)) as typeof was;
    const { mediaLink, ...others } = now.data[name] ?? {};
    const bytes = Buffer.from(String(base64), 'base64');
    expect(mediaLink).toEqual({
      url: LINK.url,
      mimetype: 'image/jpeg',
      bytes: bytes.length,
      expires: LINK.expires,
    });
    expect(others).toEqual(rest);
    expect({ ...now, data: { ...now.data, [name]: rest } }).toEqual({
      ...was,
      data: { ...was.data, [name]: rest },
    });
    expect(decodedIn(before)?.bytes.equals(bytes)).toBe(true);
    expect(after.id).toBe(before.id);
  });

  test.each([
    ['no base64', '{"message":{"base64":"not base64!"}}'],
    ['base64 without its padding', '{"message":{"base64":"AAAAA"}}'],
    ['an address of the kind data:', '{"message":{"base64":"data:image/png;base64,AAAA"}}'],
    ['base64 with escapes', '{"message":{"base64":"AA\\/A"}}'],
    ['nothing', '{"message":{"base64":""}}'],
    ['no text', '{"message":{"base64":{"a":"AAAA"}}}'],
    ['two of the same name', '{"message":{"base64":"AAAA","base64":"BBBB"}}'],
    ['elsewhere', '{"base64":"AAAA","other":{"base64":"AAAA"}}'],
    ['a list', '[{"message":{"base64":"AAAA"}}]'],
    ['a message that is none', '{"message":"base64"}'],
  ])('%s stays as it is', (_what, data) => {
    expect(textOf(linked(eventWith(data)))).toBe(textOf(eventWith(data)));
  });

  test.each([
    ['{"audioMessage":{"mimetype":"audio/ogg; codecs=opus"},"base64":"AAAA"}', 'audio/ogg; codecs=opus'],
    [
      '{"base64":"AAAA","a":{"message":{"documentMessage":{"mimetype":"application/pdf"}}}}',
      'application/pdf',
    ],
    ['{"imageMessage":{"mimetype":"text/html\\r\\nx: y"},"base64":"AAAA"}', 'application/octet-stream'],
    ['{"imageMessage":{"mimetype":7},"base64":"AAAA"}', 'application/octet-stream'],
    ['{"contextInfo":{"mimetype":"image/png"},"base64":"AAAA"}', 'application/octet-stream'],
  ])('%s has its type', (message, mimetype) => {
    expect(mediaIn(eventWith(`{"message":${message}}`))).toMatchObject({ mimetype });
  });

  test('what is base64 is decided by its grammar, whatever stands where', () => {
    const grammar = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
    const letter = fc.constantFrom(...'ABCabc019+/=-_ .', 'é', '\u0001');
    const text = fc.array(letter, { minLength: 1, maxLength: 40 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(text, fc.nat(60), (some, before) => {
        const base64 = `${'A'.repeat(before)}${some}`;
        const media = decodedIn(eventWith(JSON.stringify({ message: { base64 } })));
        expect(media !== undefined).toBe(grammar.test(base64));
      }),
      { numRuns: 2000 },
    );
  });

  test('a type that no medium has is that of any bytes', () => {
    const mimetype = `${'a'.repeat(70_000)}/b`;
    const media = mediaIn(eventWith(JSON.stringify({ message: { base64: 'AAAA', x: { mimetype } } })));
    expect(media?.mimetype).toBe('application/octet-stream');
  });

  test('what is not asked for does not change to the byte, and twice is the same as once', () => {
    const space = fc.constantFrom('', ' ', '\n\t');
    const other = fc.oneof(
      fc.json({ maxDepth: 2 }),
      fc.constantFrom('1.50', '1E+2', '"\\u00e9"', '12345678901234567890'),
    );
    fc.assert(
      fc.property(
        other,
        other,
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        space,
        (before, after, bytes, gap) => {
          const base64 = Buffer.from(bytes).toString('base64');
          const around = (media: string): string =>
            `{"a":${before},${gap}"message":${gap}{"b":${after}${gap},${media}${gap}},"c":${after}}`;
          const once = linked(eventWith(around(`"base64"${gap}:${gap}"${base64}"`)));
          const is = {
            url: LINK.url,
            mimetype: 'application/octet-stream',
            bytes: bytes.length,
            expires: LINK.expires,
          };
          fc.pre(!before.includes('mimetype') && !after.includes('mimetype'));
          expect(textOf(once)).toBe(textOf(eventWith(around(`"mediaLink":${JSON.stringify(is)}`))));
          expect(textOf(linked(once))).toBe(textOf(once));
        },
      ),
    );
  });
});

describe('links', () => {
  const event = eventWith('{"message":{"base64":"AAAA"}}');
  const parts = { baseUrl: 'https://relay.example.test', ttlSeconds: 100 };

  test('are kept once for all destinations and attempts of an event', async () => {
    const kept: string[] = [];
    const store = {
      keep: async ({ id, owner }: Reference) => {
        kept.push(`${owner} ${id}`);
        return { url: LINK.url, expires: 1 };
      },
    };
    const links = new MediaLinks({ store, ...parts });
    const [one, two] = await Promise.all([links.prepare(event), links.prepare(event)]);
    expect([textOf(one), kept]).toEqual([textOf(two), [`${event.instance} media_${event.id}`]]);
  });

  test('are none where they could not be followed, and where there is no media', () => {
    const store = { keep: () => Promise.reject(new Error('not asked')) };
    expect(new MediaLinks({ store, ...parts, baseUrl: undefined }).prepare(event)).toBe(event);
    const text = eventWith('{"message":{"conversation":"base64"}}');
    expect(new MediaLinks({ store, ...parts }).prepare(text)).toBe(text);
  });

  test('media that can never be kept stays as it is; where Redis is away the attempt fails, and is made again', async () => {
    const tooLarge = { keep: () => Promise.reject(new ReferenceTooLargeError(9, 1)) };
    expect(await new MediaLinks({ store: tooLarge, ...parts }).prepare(event)).toBe(event);
    let isAway = true;
    const store = {
      keep: async () => {
        if (isAway) throw new Error('away');
        return { url: LINK.url, expires: 1 };
      },
    };
    const links = new MediaLinks({ store, ...parts });
    await expect(links.prepare(event)).rejects.toThrow('away');
    isAway = false;
    expect(textOf(await links.prepare(event))).toContain('mediaLink');
  });

  test('lead to the bytes and their type', async () => {
    const kept: Buffer[] = [];
    const store = {
      keep: async ({ body }: Reference) => {
        kept.push(body);
        return { url: LINK.url, expires: 1 };
      },
    };
    const message = { audioMessage: { mimetype: 'audio/ogg; codecs=opus' }, base64: 'AP8B' };
    await new MediaLinks({ store, ...parts }).prepare(eventWith(JSON.stringify({ message })));
    const mimetype = message.audioMessage.mimetype;
    expect(kept).toEqual([storedMedia({ mimetype, bytes: Buffer.from([0, 255, 1]) })]);
    expect(headOf(kept[0] ?? Buffer.alloc(0))).toEqual({ mimetype, begin: 2 + mimetype.length });
  });

  test('what is no base64 is not kept, and goes out as it came', () => {
    const store = { keep: () => Promise.reject(new Error('not asked')) };
    const none = eventWith('{"message":{"base64":"AAA-"}}');
    expect(new MediaLinks({ store, ...parts }).prepare(none)).toBe(none);
  });
});
