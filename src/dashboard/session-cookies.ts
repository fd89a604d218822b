import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { EndedSessions } from './ended-sessions';
import type { Viewer } from './viewer';

/** A viewer who logged in. */
export interface Session {
  readonly viewer: Viewer;
  readonly id: string;
  /** Goes into each form, and comes back with it. */
  readonly csrf: string;
  /** When the viewer logged in, epoch milliseconds. */
  readonly begun: number;
  readonly ends: number;
}

export interface SessionCookiesParts {
  /** `AUTHENTICATION_API_KEY`: all gateways that have it share their sessions, and a new one ends them. */
  readonly apiKey: string;
  /** `DASHBOARD_READ_KEY`; empty: there is none. */
  readonly readKey: string;
  /** SHA-256 of an instance's token; undefined: it has none. */
  readonly tokenDigestOf: (instance: string) => Promise<Buffer | undefined> | Buffer | undefined;
  readonly ended: Pick<EndedSessions, 'add' | 'has'>;
  readonly now?: () => number;
}

/** Without a request for so long, a session is over. */
export const IDLE_MS = 3_600_000;
/** However busy it is. */
export const LONGEST_MS = 12 * 3_600_000;
/** A cookie is given anew once it is this old: a page that asks every few seconds does not set one each time. */
const RENEW_MS = 300_000;
/** Clocks of gateways differ by no more: a cookie that comes from a later time is none. */
const CLOCKS_MS = 300_000;
const MAX_COOKIE = 4096;

const payloadSchema = z.strictObject({
  kind: z.enum(['operator', 'reader', 'instance']),
  instance: z.string().optional(),
  /** Of the key that was shown: a session ends with it. */
  print: z.string(),
  id: z.string(),
  begun: z.number(),
  given: z.number(),
});
type Payload = z.output<typeof payloadSchema>;

/**
 * Sessions of the dashboard. A session is in its cookie: signed, and bound to the key that was shown, so that it ends where that key
 * is changed. Nothing secret is in it. That somebody logged out is kept in Redis, as copies of the cookie are not told.
 */
export class SessionCookies {
  /** Two relays of one host do not overwrite each other's cookie. */
  readonly name: string;
  private readonly key: Buffer;
  private readonly now: () => number;

  constructor(private readonly parts: SessionCookiesParts) {
    this.key = Buffer.from(hkdfSync('sha256', parts.apiKey, '', 'evolution-relay dashboard sessions', 32));
    this.name = `relay_session_${this.sign('name').subarray(0, 6).toString('hex')}`;
    this.now = parts.now ?? Date.now;
  }

  /** The value of a new session's cookie. */
  async begin(viewer: Viewer): Promise<string> {
    const now = this.now();
    const print = (await this.printOf(viewer)) ?? '';
    const instance = viewer.kind === 'instance' ? { instance: viewer.instance } : {};
    const id = randomBytes(18).toString('base64url');
    return this.sealed({ kind: viewer.kind, ...instance, print, id, begun: now, given: now });
  }

  /** Undefined for what is forged, over, or of a key that is not the one any more. */
  async open(cookie: string | undefined): Promise<Session | undefined> {
    const payload = this.opened(cookie);
    if (payload === undefined) return undefined;
    const viewer = viewerOf(payload);
    const ends = Math.min(payload.given + IDLE_MS, payload.begun + LONGEST_MS);
    const now = this.now();
    if (viewer === undefined || now >= ends || payload.given > now + CLOCKS_MS) return undefined;
    const print = await this.printOf(viewer);
    if (print === undefined || !isSame(print, payload.print)) return undefined;
    if (await this.parts.ended.has(viewer, payload.id)) return undefined;
    return {
      viewer,
      id: payload.id,
      csrf: this.sign(`csrf ${payload.id}`).toString('base64url'),
      begun: payload.begun,
      ends,
    };
  }

  /**
   * Ends it for all copies of its cookie.
   *
   * @throws StoreUnavailableError
   */
  async end({ viewer, id, begun }: Session): Promise<void> {
    // A copy may be given anew, until the longest that a session lasts, by the clock that is the latest.
    const ms = begun + LONGEST_MS + CLOCKS_MS - this.now();
    await this.parts.ended.add(viewer, id, ms, LONGEST_MS + 2 * CLOCKS_MS);
  }

  /** The cookie of a session that goes on; undefined while it need not be given anew. */
  renewed(cookie: string | undefined): string | undefined {
    const payload = this.opened(cookie);
    if (payload === undefined || this.now() - payload.given < RENEW_MS) return undefined;
    return this.sealed({ ...payload, given: this.now() });
  }

  /** Whether a form was made for this session. */
  isFormOf({ csrf }: Session, given: unknown): boolean {
    return typeof given === 'string' && isSame(csrf, given);
  }

  private sealed(payload: Payload): string {
    const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
    return `${text}.${this.sign(`session ${text}`).toString('base64url')}`;
  }

  private opened(cookie: string | undefined): Payload | undefined {
    if (cookie === undefined || cookie.length > MAX_COOKIE) return undefined;
    const [text = '', mac = '', ...more] = cookie.split('.');
    if (more.length > 0 || !isSame(this.sign(`session ${text}`).toString('base64url'), mac)) return undefined;
    // It is signed, but perhaps by another version.
    const parsed = payloadSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return parsed.success ? parsed.data : undefined;
  }

  /** Undefined where there is no such key any more. */
  private async printOf(viewer: Viewer): Promise<string | undefined> {
    const { readKey, tokenDigestOf } = this.parts;
    // A new API key ends all sessions, as it signs them.
    if (viewer.kind === 'operator') return '';
    const secret =
      viewer.kind === 'reader' ? readKey : (await tokenDigestOf(viewer.instance))?.toString('base64url');
    if (secret === undefined || secret === '') return undefined;
    return this.sign(`print ${secret}`).toString('base64url');
  }

  private sign(text: string): Buffer {
    return createHmac('sha256', this.key).update(text).digest();
  }
}

function viewerOf({ kind, instance }: Payload): Viewer | undefined {
  if (kind !== 'instance') return { kind };
  return instance === undefined ? undefined : { kind, instance };
}

/** In constant time for texts of the same length; those that are compared here always have one. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
