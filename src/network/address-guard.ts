import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import ipaddr from 'ipaddr.js';
import type { buildConnector } from 'undici';
import { POSSIBLE_PORT } from '../config/formats';
import { parseUrl, withoutBrackets } from '../config/url';
import { AddressRefusedError, ConfigError } from '../errors';
import type { Resolve } from './name-lookup';
import { asLookup, resolveName } from './names';
import { makeConnector } from './undici-parts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [base: Address, bits: number];

/** No socket, path or lookup of the caller's own: they would lead around the guard. */
export interface GuardedConnectOptions extends Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized'> {
  readonly timeout?: number;
  readonly autoSelectFamily?: boolean;
}

/** Why something is refused, and the networks that would all have to be opened. */
interface Refusal {
  readonly reason: string;
  readonly networks: readonly string[];
}

const VARIABLE = 'WEBHOOK_ALLOWED_NETWORKS';

/** The ranges of ipaddr.js in words. Those it learns later are refused too, by their own names. */
const RANGES: Readonly<Record<string, string>> = {
  unspecified: 'an address of this very host',
  loopback: 'a loopback address',
  private: 'a private address',
  uniqueLocal: 'a private address',
  deprecatedSiteLocal: 'a private address',
  carrierGradeNat: 'a carrier’s internal address',
  linkLocal: 'a link-local address',
  multicast: 'a multicast address',
  broadcast: 'a broadcast address',
  rfc6145: 'an IPv4-embedding address',
  rfc6052: 'a NAT64 address',
  '6to4': 'a 6to4 address',
  teredo: 'a Teredo address',
};

/** In no registry: Azure's virtual machines reach their host there, as others do at 169.254.169.254. */
const AZURE_PLATFORM: Network = [ipaddr.parse('168.63.129.16'), 32];

/** All that IANA has ever given out as global unicast; ipaddr.js takes what is in no range for unicast, too. */
const GLOBAL_UNICAST: Network = [ipaddr.parse('2000::'), 3];

/**
 * IPv6 that leads to an IPv4 address: which 16 bits are its upper half, and what they are XORed with. The local NAT64
 * prefix (RFC 8215) is taken for one of 96 bits, as is usual. Mapped addresses are IPv4 themselves (`parse`).
 */
const EMBEDDING: readonly (readonly [network: Network, part: number, mask: number])[] = [
  [[ipaddr.parse('::'), 96], 6, 0],
  [[ipaddr.parse('::ffff:0:0:0'), 96], 6, 0],
  [[ipaddr.parse('64:ff9b::'), 96], 6, 0],
  [[ipaddr.parse('64:ff9b:1::'), 48], 6, 0],
  [[ipaddr.parse('2002::'), 16], 1, 0],
  [[ipaddr.parse('2001::'), 32], 6, 0xffff],
];

/** Whether `text` is a network in CIDR notation or an address, as `WEBHOOK_ALLOWED_NETWORKS` lists them. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/**
 * Keeps tenants' webhooks out of the operator's own network: nothing but global unicast is connected to, unless the
 * operator opens a network. The operator's own global webhook goes without it.
 */
export class AddressGuard {
  private readonly allowed: readonly Network[];

  constructor(
    allowedNetworks: readonly string[],
    private readonly resolve: Resolve = resolveName,
  ) {
    const wrong = allowedNetworks.filter((text) => !isNetwork(text));
    if (wrong.length > 0)
      throw new ConfigError(
        wrong.map((text) => `${VARIABLE}: ${JSON.stringify(text)} must be a network such as 172.18.0.0/16`),
      );
    this.allowed = allowedNetworks.map(parseNetwork).filter((network) => network !== undefined);
  }

  /** Why an IP address must not be reached, or undefined where it may. What is no IP address is refused. */
  refusal(address: string): string | undefined {
    const refusal = this.judge(address);
    return refusal && this.sentence(`${address} is ${refusal.reason}`, refusal.networks);
  }

  /** What is wrong with the URL of a webhook when it is set. Names are judged by what they lead to, when connecting. */
  checkUrl(url: string): string | undefined {
    // No message repeats the URL: it may carry a password.
    const parsed = parseUrl(url);
    if (parsed === undefined) return 'url must be an address such as https://example.com/webhook';
    const { protocol, hostname, port } = parsed;
    if (protocol !== 'http:' && protocol !== 'https:') return 'url must start with http:// or https://';
    if (port === '0') return `url must be an address with ${POSSIBLE_PORT}: nothing listens on port 0`;
    // The parser has turned every spelling of an IPv4 address into the usual one.
    const host = withoutBrackets(hostname);
    if (isIP(host)) {
      const refusal = this.refusal(host);
      return refusal && `url leads inside: ${refusal}`;
    }
    const labels = host.replace(/\.$/, '').split('.');
    if (labels.includes('')) return 'url must name a host, such as https://example.com/webhook';
    if (labels.at(-1) !== 'localhost' || !this.judge('127.0.0.1') || !this.judge('::1')) return undefined;
    return this.sentence(`url leads inside: ${host} is a loopback name`, ['127.0.0.0/8', '::1/128']);
  }

  /**
   * Connects only to where `refusal` has no objection. Names are resolved once, and what was checked is what is
   * connected to: an answer that changes afterwards changes nothing.
   */
  connector(options: GuardedConnectOptions = {}): buildConnector.connector {
    const connect = makeConnector({ ...options, lookup: this.lookup });
    return (target, callback) => {
      // `net` looks up names only.
      const refusal = isIP(target.hostname) ? this.refusal(target.hostname) : undefined;
      if (refusal === undefined) connect(target, callback);
      else queueMicrotask(() => callback(new AddressRefusedError(refusal), null));
    };
  }

  /** The address that may be connected to for a name, where somebody else makes the connection: a proxy. */
  addressOf(hostname: string): Promise<string> {
    const refusal = isIP(hostname) ? this.refusal(hostname) : undefined;
    if (refusal !== undefined) return Promise.reject(new AddressRefusedError(refusal));
    if (isIP(hostname)) return Promise.resolve(hostname);
    return new Promise((resolve, reject) => {
      this.lookup(hostname, {}, (error, address) => {
        if (error) reject(error);
        else resolve(String(address));
      });
    });
  }

  private readonly lookup: LookupFunction = asLookup((hostname, options, callback) => {
    this.resolve(hostname, options, (error, addresses) => {
      if (error) return callback(error, []);
      const refused = this.refusalOfName(hostname, addresses);
      callback(refused ?? null, refused === undefined ? addresses : []);
    });
  });

  /** One refused answer is enough: which one would be connected to is chance, or somebody's choice. */
  private refusalOfName(name: string, addresses: readonly LookupAddress[]): AddressRefusedError | undefined {
    if (addresses.length === 0) return new AddressRefusedError(`${name} has no address`);
    const refused = addresses.flatMap(({ address }) => {
      const refusal = this.judge(address);
      return refusal ? [{ address, ...refusal }] : [];
    });
    const [first] = refused;
    if (!first) return undefined;
    const networks = refused.flatMap((refusal) => refusal.networks);
    return new AddressRefusedError(
      this.sentence(`${name} leads to ${first.address}, which is ${first.reason}`, networks),
    );
  }

  /** Opening NAT64 and its like opens no IPv4 address: what is embedded is judged on its own. */
  private judge(text: string): Refusal | undefined {
    const address = parse(text);
    if (!address) return { reason: 'no IP address', networks: [] };
    const outer = this.reasonAgainst(address);
    const inner = embedded(address);
    const innerReason = inner && this.reasonAgainst(inner);
    if (innerReason)
      return {
        reason: `${outer ?? 'an address'} of ${inner.toString()}, ${innerReason}`,
        networks: [...(outer ? [cidrOf(address)] : []), cidrOf(inner)],
      };
    return outer ? { reason: outer, networks: [cidrOf(address)] } : undefined;
  }

  private reasonAgainst(address: Address): string | undefined {
    return this.allowed.some((network) => isIn(address, network)) ? undefined : specialty(address);
  }

  /** With the way out. Set once, the variable is to be added to, not replaced. */
  private sentence(problem: string, networks: readonly string[]): string {
    if (networks.length === 0) return problem;
    const list = [...new Set(networks)].join(',');
    const remedy = this.allowed.length === 0 ? `${VARIABLE}=${list}` : `${list} in ${VARIABLE}`;
    return `${problem}; ${remedy} would allow it`;
  }
}

/** What sets an address apart from those that anybody may reach. */
function specialty(address: Address): string | undefined {
  const range = address.range();
  if (range !== 'unicast') return RANGES[range] ?? `a special address (${range})`;
  if (isIn(address, AZURE_PLATFORM)) return 'the address of Azure’s platform';
  return address.kind() === 'ipv4' || isIn(address, GLOBAL_UNICAST) ? undefined : 'a reserved address';
}

function embedded(address: Address): ipaddr.IPv4 | undefined {
  if (!(address instanceof ipaddr.IPv6)) return undefined;
  if (['loopback', 'unspecified'].includes(address.range())) return undefined;
  const form = EMBEDDING.find(([network]) => isIn(address, network));
  if (!form) return undefined;
  const [, part, mask] = form;
  const halves = address.parts.slice(part, part + 2).map((half) => half ^ mask);
  return new ipaddr.IPv4(halves.flatMap((half) => [half >> 8, half & 0xff]));
}

/**
 * Takes what `net` takes and nothing more; a mapped address is its IPv4 address. ipaddr.js alone would read `010.1` as
 * an address and `::8.8.8.8` as a mapped one, which it is not: so the parser of URLs is asked first.
 */
function parse(text: string): Address | undefined {
  const kind = isIP(text);
  if (kind === 0) return undefined;
  if (kind === 4) return ipaddr.parse(text);
  const url = parseUrl(`http://[${text.replace(/%.*$/, '')}]/`);
  return url === undefined ? undefined : ipaddr.process(url.hostname.slice(1, -1));
}

function parseNetwork(text: string): Network | undefined {
  const [, base = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parse(base);
  if (!address) return undefined;
  const written = isIP(base) === 4 ? 32 : 128;
  const bits = length === undefined ? written : Number(length);
  if (bits > written) return undefined;
  if (written === 32 || address.kind() === 'ipv6') return [address, bits];
  // A network of mapped addresses is one of IPv4; a wider one would open nothing.
  return bits >= 96 ? [address, bits - 96] : undefined;
}

function isIn(address: Address, [base, bits]: Network): boolean {
  return address.kind() === base.kind() && address.match(base, bits);
}

function cidrOf(address: Address): string {
  return `${address.toString()}/${address.kind() === 'ipv4' ? 32 : 128}`;
}
