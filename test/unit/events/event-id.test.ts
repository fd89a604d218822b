import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { idOf } from '../../../src/events/event-id';

const sha256 = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const littleEndian = (bytes: Buffer): bigint => BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`);

/** RFC 8439: the MAC of ChaCha20-Poly1305 over additional data alone, in numbers instead of OpenSSL's code. */
function poly1305(key: Buffer, nonce: Buffer, data: Buffer): Buffer {
  const counter = Buffer.alloc(4);
  const once = createCipheriv('chacha20', key, Buffer.concat([counter, nonce])).update(Buffer.alloc(32));
  const r = littleEndian(once.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64LE(BigInt(data.length));
  const all = Buffer.concat([data, Buffer.alloc((16 - (data.length % 16)) % 16), lengths]);
  let sum = 0n;
  for (let at = 0; at < all.length; at += 16)
    sum = ((sum + littleEndian(all.subarray(at, at + 16)) + (1n << 128n)) * r) % ((1n << 130n) - 5n);
  const tag = (sum + littleEndian(once.subarray(16))) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
}

const NAMES = '["São","call","2025-11-03T14:22:07.415Z"]';
const idOfContent = (content: Buffer, timed = true, names = NAMES): string =>
  idOf({ names, body: content, content: { start: 0, end: content.length }, timed });

describe('the id of an event', () => {
  const text = (size: number): Buffer => Buffer.alloc(size, 'ã á um dois três ');

  test.each([0, 1, 1300, 8191])('is SHA-256 of names and content: %d bytes', (size) => {
    expect(idOfContent(text(size))).toBe(sha256(NAMES, text(size)).toString('base64url').slice(0, 22));
  });

  test.each([8192, 8193, 32_768, 100_000])(
    'is Poly1305 of a large content under a key that is made of the names: %d bytes',
    (size) => {
      const nonce = sha256(NAMES).subarray(0, 12);
      const tag = poly1305(Buffer.from('evolution-relay: id of an event.'), nonce, text(size));
      expect(idOfContent(text(size))).toBe(tag.toString('base64url'));
    },
  );

  test('is that of the content, wherever it stands in the body', () => {
    const content = text(20_000);
    const body = Buffer.concat([Buffer.from('{"data":'), content, Buffer.from('}')]);
    const id = idOf({ names: NAMES, body, content: { start: 8, end: 8 + content.length }, timed: true });
    expect(id).toBe(idOfContent(content));
  });

  test('is another one for each byte that differs, each length and each name', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 8192, max: 20_000 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (size, place, bits) => {
          const content = text(size);
          const other = text(size);
          other[place % size] = (other[place % size] ?? 0) ^ bits;
          const ids = [
            idOfContent(content),
            idOfContent(other),
            idOfContent(content.subarray(0, -1)),
            idOfContent(Buffer.concat([content, Buffer.alloc(1)])),
            idOfContent(content, true, `${NAMES} `),
          ];
          expect(new Set(ids).size).toBe(ids.length);
        },
      ),
    );
  });
});
