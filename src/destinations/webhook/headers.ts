import type JsonWebToken from 'jsonwebtoken';
import { VERSION } from '../../version';

/** Headers that are the relay's or the connection's own; a webhook's settings cannot replace them. */
const RESERVED: ReadonlySet<string> = new Set([
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'x-evolution-relay-attempt',
  'webhook-lane-gap',
  'content-length',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
  'keep-alive',
]);

const JWT_SECONDS = 600;

/** Headers among those of a webhook's settings that are not sent. */
export function reservedHeaders(own: Readonly<Record<string, string>>): string[] {
  return Object.keys(own).filter((name) => RESERVED.has(name.toLowerCase()));
}

/** The host that a webhook's settings name in place of its address's own; undefined: they name none. */
export function hostHeader(own: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(own).find(([name, value]) => name.toLowerCase() === 'host' && value !== '')?.[1];
}

/**
 * Makes the headers that are the same for every request of one webhook, as a flat list of names and values, as the core API
 * would send them (docs/core-api.md#other-transports): a header `jwt_key` becomes `Authorization: Bearer <HS256 token>` and
 * wins over an own `Authorization`, and user and password of the address win over both. The token lives 600 s.
 */
export function staticHeaders(own: Readonly<Record<string, string>>, url: URL): string[] {
  const headers = new Map([
    ['accept', 'application/json, text/plain, */*'],
    ['content-type', 'application/json'],
    ['user-agent', `evolution-relay/${VERSION}`],
  ]);
  let key: string | undefined;
  for (const [name, value] of Object.entries(own)) {
    const lower = name.toLowerCase();
    if (lower === 'jwt_key') key = value;
    else if (!RESERVED.has(lower) && (lower !== 'host' || value !== '')) headers.set(lower, value);
  }
  if (key !== undefined) headers.set('authorization', `Bearer ${token(key)}`);
  if (url.username || url.password) {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  }
  return [...headers].flat();
}

/** Half of the token's life. */
const MAX_AGE_MS = (JWT_SECONDS * 1000) / 2;

/** What `staticHeaders` makes for one webhook, made anew while its token still lives. */
export class StaticHeaders {
  private made: readonly string[] = [];
  private madeAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly own: Readonly<Record<string, string>>,
    url: URL,
  ) {
    this.renew(url, Date.now());
  }

  /**
   * @param now of the clock that the token has its times by: one made before that was set back begins in the future, and receivers
   * refuse it
   * @param url made where it is needed: it is large
   */
  at(now: number, url: () => URL): readonly string[] {
    if (now < this.madeAt || now - this.madeAt > MAX_AGE_MS) this.renew(url(), now);
    return this.made;
  }

  private renew(url: URL, now: number): void {
    this.made = staticHeaders(this.own, url);
    this.madeAt = now;
  }
}

function token(key: string): string {
  // Loaded here: few webhooks have such a key.
  const jwt = require('jsonwebtoken') as typeof JsonWebToken;
  return jwt.sign({ app: 'evolution', action: 'webhook' }, key, {
    algorithm: 'HS256',
    expiresIn: JWT_SECONDS,
  });
}
