import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { compress, decompress } from '../../../src/events/compression';
import { fixture, fixtureNames } from '../../support/values/events';

async function roundTrip(body: Buffer): Promise<Buffer> {
  return decompress(await compress(body));
}

describe('compression of parked bodies', () => {
  test('gives any bytes back, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        const body = Buffer.from(bytes);
        expect((await roundTrip(body)).equals(body)).toBe(true);
      }),
    );
  });

  test.each(fixtureNames())('gives %s back, smaller than it was', async (name) => {
    const compact = Buffer.from(JSON.stringify(JSON.parse(fixture(name).toString('utf8'))));
    expect((await roundTrip(compact)).equals(compact)).toBe(true);
    expect((await compress(compact)).length).toBeLessThan(compact.length);
  });

  test.each([65_535, 65_536, 65_537, 1_000_000])(
    'gives %d bytes back that cannot be compressed',
    async (size) => {
      const body = randomBytes(size);
      expect((await roundTrip(body)).equals(body)).toBe(true);
    },
  );

  test('gives 20 MB back that compress to almost nothing, and 20 MB that hardly do', async () => {
    const flat = Buffer.alloc(20_000_000, 'a');
    const media = Buffer.from(randomBytes(15_000_000).toString('base64'));
    for (const body of [flat, media]) expect((await roundTrip(body)).equals(body)).toBe(true);
  });

  test('a small text that inflates to much is not inflated on the main thread', async () => {
    const text = await compress(Buffer.alloc(20_000_000, 'a'));
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await decompress(text);
    expect(turned).toBe(true);
  });

  test.each([100, 200_000, 20_000_000])(
    'a body of %d bytes that is parked for many destinations is compressed once',
    async (size) => {
      const body = Buffer.alloc(size, 'a');
      const texts = Array.from({ length: 50 }, () => compress(body));
      expect(new Set(texts).size).toBe(1);
      expect(new Set(await Promise.all(texts)).size).toBe(1);
    },
  );

  test('no more than a few megabytes are kept for that', async () => {
    const bodies = Array.from({ length: 100 }, () => randomBytes(300_000));
    const texts = new Map<Buffer, Promise<string>>();
    for (const body of bodies) texts.set(body, compress(body));
    await Promise.all(texts.values());
    const kept = bodies.filter((body) => compress(body) === texts.get(body));
    expect(kept.length).toBeLessThan(10);
  });

  test('what an earlier version stored is still read: the dictionary never changes', async () => {
    const stored = 'IzJKc/KzEnWTU/NKivKJiF0LCwsLc3Nzc3RX1NbWAgA=';
    const body =
      '{"event":"messages.upsert","instance":"loja-centro","data":{"key":{"remoteJid":"5511988887777@s.whatsapp.net"}}}';
    expect((await decompress(stored)).toString('utf8')).toBe(body);
  });
});
