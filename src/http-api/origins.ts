import { isIP } from 'node:net';
import { parseUrl, withoutBrackets } from '../config/url';

/** What a browser says of where a request comes from (Origin) and where it thinks it goes (Host). */
export interface BrowserHeaders {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
}

export interface OriginRules {
  /** `CORS_ORIGIN`; `*` lists none. */
  readonly origins: readonly string[];
  /** `GATEWAY_URL`: the address at which browsers reach the gateway. */
  readonly publicUrl: string | undefined;
}

/**
 * Whether a page may use what its visitor has and it has not: cookies, or an address that needs no key. Pages of the gateway's
 * own host may, and those of listed origins. Programs send no Origin.
 */
export function isTrustedPage({ origin, host }: BrowserHeaders, { origins }: OriginRules): boolean {
  if (origin === undefined || (origin !== '*' && origins.includes(origin))) return true;
  const own = host === undefined ? undefined : parseUrl(`http://${host}`);
  return own !== undefined && parseUrl(origin)?.host === own.host;
}

/**
 * Whether the gateway is meant by this Host. A page can make its own name lead to our address and then counts as a page of
 * our host (DNS rebinding). It cannot do so with an address, with a name without dots, or with the public one.
 */
export function isExpectedHost(host: string | undefined, { publicUrl }: OriginRules): boolean {
  const url = host === undefined ? undefined : parseUrl(`http://${host}`);
  if (url === undefined) return false;
  const name = withoutBrackets(url.hostname);
  if (isIP(name) !== 0 || !name.includes('.') || name.endsWith('.localhost')) return true;
  return publicUrl !== undefined && parseUrl(publicUrl)?.hostname === url.hostname;
}

/** Whether a client of this address needs no key (`WEBSOCKET_ALLOWED_HOSTS`), and what its page has to do with it. */
export function needsNoKey(
  address: string,
  headers: BrowserHeaders,
  rules: OriginRules & { readonly allowedHosts: readonly string[] },
): boolean {
  // Opened to everybody on purpose: pages are then bound by CORS_ORIGIN alone, which is open, too, unless it lists some.
  if (rules.allowedHosts.includes('*')) return rules.origins.includes('*') || isTrustedPage(headers, rules);
  const isAllowed = rules.allowedHosts.includes(address);
  return isAllowed && isExpectedHost(headers.host, rules) && isTrustedPage(headers, rules);
}
