import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { sign, signingKey } from '../../../src/destinations/webhook/signing';

function secretOf(bytes: Uint8Array): string {
  return `whsec_${Buffer.from(bytes).toString('base64')}`;
}

function headersFor(secrets: readonly string[], body: Buffer, id = 'dlv_1'): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': sign(secrets.map(signingKey), id, timestamp, body),
  };
}

describe('Standard Webhooks signatures', () => {
  const [old, fresh, other] = [
    secretOf(randomBytes(24)),
    secretOf(randomBytes(32)),
    secretOf(randomBytes(24)),
  ];

  test('the specification’s own library verifies any body', () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ minLength: 16, maxLength: 64 }), (json, key) => {
        const body = Buffer.from(json);
        const secret = secretOf(key);
        expect(() => new Webhook(secret).verify(body.toString(), headersFor([secret], body))).not.toThrow();
      }),
    );
  });

  test('while rotating, receivers that know the old and those that know the new secret both verify', () => {
    const body = Buffer.from('{"event":"call"}');
    const headers = headersFor([fresh, old], body);
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of [fresh, old]) {
      expect(new Webhook(secret).verify(body.toString(), headers)).toEqual({ event: 'call' });
    }
    expect(() => new Webhook(other).verify(body.toString(), headers)).toThrow();
  });

  test('a secret means the same with and without whsec_ before it', () => {
    expect(signingKey(old).equals(signingKey(old.replace('whsec_', '')))).toBe(true);
  });

  test('whatever changes on the way is noticed: body, id, time', () => {
    const body = Buffer.from('{"event":"call"}');
    const headers = headersFor([fresh], body);
    const verify = (text: string, changed: Record<string, string>): unknown =>
      new Webhook(fresh).verify(text, { ...headers, ...changed });
    expect(() => verify('{"event":"call"}', {})).not.toThrow();
    expect(() => verify('{"event":"cal"}', {})).toThrow();
    expect(() => verify('{"event":"call"}', { 'webhook-id': 'dlv_2' })).toThrow();
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(() => verify('{"event":"call"}', { 'webhook-timestamp': later })).toThrow();
  });
});
