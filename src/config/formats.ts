import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isIP } from 'node:net';
import { asUrlReads, parseUrl } from './url';

/** What a variable may be. `parse` takes the text of the environment or a JSON value of a configuration file. */
export interface Format<T> {
  /** Completes the sentence "must be …". */
  readonly allowed: string;
  /** The value, or undefined where `raw` is not of this format. */
  readonly parse: (raw: unknown) => { readonly value: T } | undefined;
  /** Completes the same sentence where more can be said of a value that is not of this format. */
  readonly fault?: (raw: unknown) => string | undefined;
}

/** What a value must be that is not of a format, as the end of "must be …". */
export function wantedBy(
  { allowed, fault }: Pick<Format<unknown>, 'allowed' | 'fault'>,
  raw: unknown,
): string {
  return fault?.(raw) ?? allowed;
}

function format<T>(allowed: string, parse: (raw: unknown) => T | undefined): Format<T> {
  return {
    allowed,
    parse: (raw) => {
      const value = parse(raw);
      return value === undefined ? undefined : { value };
    },
  };
}

/** Empty text counts as not set, as in the core API; so do blanks and the CR of a file from Windows, which nobody sees. */
export function isGiven(raw: unknown): boolean {
  return raw !== undefined && (typeof raw !== 'string' || raw.trim() !== '');
}

function asText(raw: unknown): string | undefined {
  return typeof raw === 'string' ? raw.trim() : typeof raw === 'number' ? String(raw) : undefined;
}

export const text: Format<string> = format('text', asText);

/** The core API takes the exact text `true` for yes and anything else for no; a typing error is named instead. */
export const flag: Format<boolean> = format('true or false', (raw) => {
  if (typeof raw === 'boolean') return raw;
  const value = asText(raw);
  if (value === 'true') return true;
  return value === 'false' || value === '' ? false : undefined;
});

export function number(minimum: number, maximum: number): Format<number> {
  return format(`a number from ${minimum} to ${maximum}`, (raw) => {
    const value = asText(raw);
    if (value === undefined || value === '') return undefined;
    const parsed = Number(value);
    return parsed >= minimum && parsed <= maximum ? parsed : undefined;
  });
}

export function integer(minimum: number, maximum: number): Format<number> {
  const { parse } = number(minimum, maximum);
  return format(`a whole number from ${minimum} to ${maximum}`, (raw) => {
    const parsed = parse(raw);
    return parsed !== undefined && Number.isInteger(parsed.value) ? parsed.value : undefined;
  });
}

export function oneOf<const T extends string>(...choices: readonly T[]): Format<T> {
  return format(choices.join(' or '), (raw) => choices.find((choice) => choice === asText(raw)));
}

/** Comma separated; empty items are dropped. */
export const list: Format<readonly string[]> = format('a comma-separated list', (raw) => {
  const items = Array.isArray(raw) ? raw.map(asText) : asText(raw)?.split(',');
  if (items === undefined || items.some((item) => item === undefined)) return undefined;
  return items.flatMap((item) => item?.trim() || []);
});

export const stringMap: Format<Readonly<Record<string, string>>> = format(
  'a JSON object with text values, such as {"authorization":"Bearer …"}',
  (raw) => {
    const value = typeof raw === 'string' ? parseJson(raw.trim() || '{}') : raw;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    return entries.every(([, item]) => typeof item === 'string') ? Object.fromEntries(entries) : undefined;
  },
);

/**
 * JSON as text: convict takes the fields of an object for variables. What it may hold is checked by the part that it belongs
 * to, which names the place of what is wrong.
 */
export const jsonText: Format<string> = format('JSON', (raw) => {
  if (typeof raw !== 'string') return JSON.stringify(raw);
  return parseJson(raw) === undefined ? undefined : raw.trim();
});

export function urlOf(...protocols: readonly string[]): Format<string> {
  const allowed = `an address that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  const fault = (raw: unknown): string | undefined =>
    hasImpossiblePort(asText(raw) ?? '') ? `an address with ${POSSIBLE_PORT}` : undefined;
  const { parse } = format(allowed, (raw) => {
    const value = asText(raw);
    return value !== undefined && isAddress(value, protocols) && !hasImpossiblePort(value)
      ? value
      : undefined;
  });
  return { allowed, parse, fault };
}

/** Completes a sentence about an address, or a host and its port. */
export const POSSIBLE_PORT = 'a port from 1 to 65535';

/** Nothing can listen on port 0, which `URL` takes; what is beyond the last one it refuses without saying why. */
export function hasImpossiblePort(address: string): boolean {
  const port = /^(?:[a-z][a-z\d+.-]*:\/\/)?(?:[^/?#]*@)?(?:\[[^\]]*\]|[^/?#:@[\]]*):(\d+)(?:[/?#]|$)/i.exec(
    asUrlReads(address),
  )?.[1];
  return port !== undefined && (Number(port) < 1 || Number(port) > 65_535);
}

/** Whether a text is an address of one of these schemes, whatever its port. */
export function isAddress(text: string, protocols: readonly string[]): boolean {
  const url = parseUrl(text);
  if (url === undefined) return false;
  const isWhole = url.hostname !== '' && canDecode(url.username + url.password);
  return protocols.includes(url.protocol) && isWhole;
}

export const HTTP_PROTOCOLS = ['http:', 'https:'];
export const httpUrl: Format<string> = urlOf(...HTTP_PROTOCOLS);

/** Empty text counts as not set, as in the core API's `.env.example`. */
export function optional<T>(inner: Format<T>): Format<T | undefined> {
  return {
    allowed: `empty or ${inner.allowed}`,
    parse: (raw) => (raw === undefined || asText(raw) === '' ? { value: undefined } : inner.parse(raw)),
    fault: (raw) => inner.fault?.(raw),
  };
}

/**
 * Why clients may not get in with a key, as the end of a sentence: HTTP takes blanks at the ends of a header away, and what is
 * beyond ASCII arrives as one client or another encodes it. Undefined where any client can send it.
 */
export function unsendableKey(key: string): string | undefined {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(key)) return undefined;
  return 'has a blank at its end, or a character that not every client can send in a header: it must be of ASCII characters';
}

/** Whether this can be sent as a header. An empty value can, but is no key to sign a token with. */
export function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return value !== '' || name.toLowerCase() !== 'jwt_key';
  } catch {
    return false;
  }
}

/** A symmetric key of Standard Webhooks: base64 of at least 16 bytes, with or without whsec_ before it. */
export function isSigningKey(secret: string): boolean {
  return Buffer.from(secret.trim().replace(/^whsec_/, ''), 'base64').length >= 16;
}

/** Completes a sentence about a key that signs, but that official verifiers do not take. */
export const UNVERIFIABLE_KEY =
  'must be padded base64 (A-Z, a-z, 0-9, +, /, =), as the official verifiers of Standard Webhooks throw at anything else: openssl rand -base64 24';

/** Whether the official verifiers of Standard Webhooks can decode a key: theirs is the strict base64 of RFC 4648. */
export function isVerifiableKey(secret: string): boolean {
  const text = secret.trim().replace(/^whsec_/, '');
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

/** Whether percent-encoded text can be decoded: `URL` lets a wrong `%` pass. */
export function canDecode(value: string): boolean {
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

/** Undefined where it is no JSON. */
export function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Whether `text` is an IP address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...others] = text.split('/');
  const version = isIP(address);
  return (
    version !== 0 &&
    others.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)))
  );
}
