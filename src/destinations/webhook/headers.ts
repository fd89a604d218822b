import jwt from 'jsonwebtoken';
import { VERSION } from '../../version';

/** Headers that are the relay's or the connection's own; a webhook's settings cannot replace them. */
const RESERVED: ReadonlySet<string> = new Set([
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'x-evolution-relay-attempt',
  'webhook-lane-gap',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
  'keep-alive',
]);

const JWT_SECONDS = 600;

/**
 * Makes the headers that are the same for every request of one webhook, as a flat list of names and values. A
 * header `jwt_key` becomes `Authorization: Bearer <HS256 token>` as in the core API (docs/core-api.md#other-transports); its token
 * lives 600 s, so the result is to be made anew from time to time.
 */
export function staticHeaders(own: Readonly<Record<string, string>>, url: URL): string[] {
  const headers = new Map([
    ['content-type', 'application/json'],
    ['user-agent', `evolution-relay/${VERSION}`],
  ]);
  if (url.username || url.password) {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(own)) {
    const lower = name.toLowerCase();
    if (lower === 'jwt_key') headers.set('authorization', `Bearer ${token(value)}`);
    else if (!RESERVED.has(lower)) headers.set(lower, value);
  }
  return [...headers].flat();
}

/** Half of the token's life: how long `staticHeaders` may be kept. */
export const STATIC_HEADERS_MAX_AGE_MS = (JWT_SECONDS * 1000) / 2;

function token(key: string): string {
  return jwt.sign({ app: 'evolution', action: 'webhook' }, key, {
    algorithm: 'HS256',
    expiresIn: JWT_SECONDS,
  });
}
