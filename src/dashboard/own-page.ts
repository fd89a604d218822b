import type { FastifyRequest } from 'fastify';
import { isTrustedPage } from '../http-api/origins';

const NO_ORIGINS = { origins: [], publicUrl: undefined };

/**
 * Whether a request that changes something comes from a page of our own. Browsers say so by `Sec-Fetch-Site`, which they send over
 * TLS and to localhost, or by `Origin`. Origins that `CORS_ORIGIN` lists may use the API, not the dashboard.
 */
export function isOwnPage({ headers, host }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return isTrustedPage({ origin: headers.origin, host }, NO_ORIGINS);
}

/**
 * Whether a session may be used for a request that changes nothing: a page of a neighbouring name, which shares our cookies, must
 * not read what CORS would show it.
 */
export function mayRead(request: FastifyRequest): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-site': site, origin } = request.headers;
  if (mode === 'navigate' || site === 'none') return true;
  return site === undefined && origin === undefined ? true : isOwnPage(request);
}

/** Whether the browser speaks TLS, with us or with a proxy that we trust or that `GATEWAY_URL` names. */
export function isSecure({ protocol, host }: FastifyRequest, publicUrl: string | undefined): boolean {
  if (protocol === 'https') return true;
  if (publicUrl === undefined) return false;
  const known = new URL(publicUrl);
  return known.protocol === 'https:' && known.host === host;
}

/** Whether a person asks, with a browser: programs do not ask for HTML by its name. */
export function wantsPage({ headers: { accept } }: FastifyRequest): boolean {
  return accept?.split(',').some((type) => type.trim().split(';')[0] === 'text/html') ?? false;
}
