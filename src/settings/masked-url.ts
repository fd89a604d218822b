import { asUrlReads, parseUrl } from '../config/url';

/** Stands for a secret that is stored. */
export const MASK = '********';
/** Why a mask is refused, and a stored secret that was not named: it is never sent to another address than it was given for. */
export const NOTHING_BEHIND_MASK = `give the value itself: what is stored belongs to another address, or nothing is stored that ${MASK} could stand for`;

/** Scheme, user with `@`, host and path, query with `?`, fragment with `#`. */
const PARTS = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?([^?#]*)(\?[^#]*)?(#.*)?$/is;

interface UrlParts {
  readonly scheme: string;
  readonly user: string;
  readonly address: string;
  readonly query: string;
  readonly fragment: string;
}

/** An address as it may be shown: user, password, values of the query and fragment are where people put their tokens. */
export function maskedUrl(url: string): string {
  if (url === '') return '';
  const parts = partsOf(url);
  if (parts === undefined) return MASK;
  const { scheme, user, address, query, fragment } = parts;
  return [
    scheme,
    maskedUser(user),
    address,
    query === '' ? '' : `?${paramsOf(query).map(maskedParam).join('&')}`,
    fragment.length > 1 ? `#${MASK}` : fragment,
  ].join('');
}

/**
 * The address that a client means which gives a masked one back: stored values stand where masks are, as long as
 * scheme, host and path are the stored ones; masks for which nothing is stored stay.
 */
export function unmaskedUrl(given: string, stored: string): string {
  if (!given.includes(MASK)) return given;
  const now = partsOf(given);
  const was = partsOf(stored);
  if (now === undefined || was === undefined) return given;
  if (!isSamePlace(now, was)) return given;
  const before = paramsOf(was.query);
  const query = paramsOf(now.query).map((param, index) => unmaskedParam(param, index, before));
  return [
    now.scheme,
    now.user.includes(MASK) && now.user === maskedUser(was.user) ? was.user : now.user,
    now.address,
    now.query === '' ? '' : `?${query.join('&')}`,
    now.fragment === `#${MASK}` ? was.fragment : now.fragment,
  ].join('');
}

export function hasSameOrigin(one: string, other: string): boolean {
  const [a, b] = [parseUrl(one), parseUrl(other)];
  return a !== undefined && b !== undefined && a.origin === b.origin;
}

function isSamePlace(one: UrlParts, other: UrlParts): boolean {
  const [a, b] = [parseUrl(one.scheme + one.address), parseUrl(other.scheme + other.address)];
  return a !== undefined && b !== undefined && a.origin === b.origin && a.pathname === b.pathname;
}

function partsOf(url: string): UrlParts | undefined {
  const found = PARTS.exec(asUrlReads(url));
  if (found === null) return undefined;
  const [, scheme = '', user = '', address = '', query = '', fragment = ''] = found;
  return { scheme, user, address, query: query === '?' ? '' : query, fragment };
}

function maskedUser(user: string): string {
  if (user === '') return '';
  return user.includes(':') ? `${MASK}:${MASK}@` : `${MASK}@`;
}

function paramsOf(query: string): string[] {
  return query === '' ? [] : query.slice(1).split('&');
}

/** A parameter without a value may be a token itself. */
function maskedParam(param: string): string {
  const equals = param.indexOf('=');
  if (equals < 0) return param === '' ? '' : MASK;
  return equals === param.length - 1 ? param : `${param.slice(0, equals + 1)}${MASK}`;
}

/** By name where there is one, and by place among those of the same name. */
function unmaskedParam(param: string, index: number, before: readonly string[]): string {
  if (param === MASK) {
    const bare = before[index];
    return bare !== undefined && !bare.includes('=') ? bare : param;
  }
  if (!param.endsWith(`=${MASK}`)) return param;
  const name = param.slice(0, -MASK.length);
  const sameName = before.filter((each) => each.startsWith(name));
  const inPlace = before[index];
  return inPlace?.startsWith(name) === true ? inPlace : (sameName[0] ?? param);
}
