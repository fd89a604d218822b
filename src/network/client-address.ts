import type { IncomingMessage } from 'node:http';
import proxyAddress from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** Where a request came from; X-Forwarded-For is believed of trusted proxies only. */
export function clientAddressOf(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const isTrusted = proxyAddress.compile([...trustedProxies]);
  return (request) => proxyAddress(request, isTrusted);
}

/** Whether a connection from this address is one of a trusted proxy, which speaks for many clients. */
export function proxyCheck(trustedProxies: readonly string[]): (address: string | undefined) => boolean {
  const isTrusted = proxyAddress.compile([...trustedProxies]);
  return (address) => address !== undefined && isTrusted(address, 0);
}

/** The first 64 bits of an IPv6 address: what one customer of a network has for himself. */
const CUSTOMER_BITS = 64;
const BITS_OF_PART = 16;

/**
 * What limits by address count by: an IPv4 address, or the /64 that an IPv6 address lies in. Whatever is no address
 * counts as one and the same, so that a header cannot make up new ones.
 */
export function addressGroup(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  const parts = parsed.parts.slice(0, CUSTOMER_BITS / BITS_OF_PART);
  return `${parts.map((part) => part.toString(16)).join(':')}::/${CUSTOMER_BITS}`;
}
