import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type PusherApp, Refusal, TIMESTAMP_WINDOW_SECONDS } from './rules';

export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export function hmac(secret: string, text: string | Buffer): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

export function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** "Authentication" of Pusher's HTTP API: key, version, timestamp, MD5 of the body, and the signature over all. */
export function verify(app: PusherApp, request: SignedRequest, now: number): void {
  const { query, body } = request;
  if (query.get('auth_key') !== app.key) throw new Refusal(401, 'Unknown auth_key');
  if (query.get('auth_version') !== '1.0') throw new Refusal(401, 'Invalid auth_version: expected 1.0');
  checkTimestamp(query.get('auth_timestamp') ?? '', now);
  const md5 = createHash('md5').update(body).digest('hex');
  if (body.length > 0 && query.get('body_md5') !== md5) throw new Refusal(401, 'Invalid body_md5');
  const text = stringToSign(request);
  const given = query.get('auth_signature') ?? '';
  if (isSame(hmac(app.secret, text), given)) return;
  throw new Refusal(
    401,
    `Invalid signature: you should have sent HmacSHA256Hex(${JSON.stringify(text)}, your_secret_key), but you sent ${JSON.stringify(given)}`,
  );
}

function checkTimestamp(text: string, now: number): void {
  const seconds = Number(text);
  if (!/^\d+$/.test(text)) throw new Refusal(401, 'Invalid auth_timestamp');
  if (Math.abs(now / 1000 - seconds) <= TIMESTAMP_WINDOW_SECONDS) return;
  throw new Refusal(
    401,
    `Timestamp expired: Given timestamp (${new Date(seconds * 1000).toISOString()}) not within ${TIMESTAMP_WINDOW_SECONDS}s of server time (${new Date(now).toISOString()})`,
  );
}

/** Method, path, and all parameters but the signature, sorted by their lower-cased names. */
function stringToSign({ method, path, query }: SignedRequest): string {
  const parameters = [...query]
    .filter(([name]) => name !== 'auth_signature')
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`);
  return [method, path, parameters.join('&')].join('\n');
}
