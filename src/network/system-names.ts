import { getDefaultResultOrder, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { HOSTS_FILE, parseHosts } from './hosts-file';
import type { Family, NameServers, Records } from './name-servers';
import { candidatesOf, parseSearchList, RESOLVER_FILE } from './search-list';
import type { LookupFailure } from './shared-fault';
import { WatchedFile } from './watched-file';

/** What a name leads to. Times to live are in milliseconds; `local`: found without asking the name servers. */
export type NameResult =
  | { readonly kind: 'local'; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'found'; readonly addresses: readonly LookupAddress[]; readonly ttlMs: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly failure: LookupFailure; readonly cause: unknown };

export interface SystemNamesParts {
  readonly servers: NameServers;
  readonly hostsFile?: string;
  readonly resolverFile?: string;
  readonly now?: () => number;
}

/** The answer for one family waits this long for the other one's, which some servers never give (RFC 8305, section 3). */
const OTHER_FAMILY_MS = 100;
const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Names as the system resolves them, but for what its C library alone knows (mDNS, NSS modules): the hosts file, then
 * `localhost`, then the name servers with the search list. Both files are followed when they change, as a container's do.
 */
export class SystemNames {
  private readonly hosts: WatchedFile<ReturnType<typeof parseHosts>>;
  private readonly search: WatchedFile<ReturnType<typeof parseSearchList>>;

  constructor(private readonly parts: SystemNamesParts) {
    const clock = parts.now === undefined ? {} : { now: parts.now };
    this.hosts = new WatchedFile({ path: parts.hostsFile ?? HOSTS_FILE, parse: parseHosts, ...clock });
    this.search = new WatchedFile({
      path: parts.resolverFile ?? RESOLVER_FILE,
      parse: (text) => parseSearchList(text),
      ...clock,
    });
  }

  /** Never rejects. How long it takes is the name servers' affair, but for that each question has an end. */
  async find(name: string): Promise<NameResult> {
    const plain = name.toLowerCase().replace(/\.$/, '');
    if (plain === '') return { kind: 'absent' };
    const listed = (await this.hosts.read()).get(plain);
    if (listed !== undefined) return { kind: 'local', addresses: listed.map(withFamily) };
    if (plain === 'localhost' || plain.endsWith('.localhost')) return { kind: 'local', addresses: LOOPBACK };
    const search = await this.search.read();
    this.parts.servers.follow(search.text);
    let failed: NameResult | undefined;
    for (const candidate of candidatesOf(name.toLowerCase(), search)) {
      const result = await this.ask(candidate);
      if (result.kind === 'found') return result;
      if (result.kind === 'failed') failed ??= result;
    }
    return failed ?? { kind: 'absent' };
  }

  /** IPv4 first unless Node.js is set otherwise: IPv6 is often announced where it leads nowhere. */
  private async ask(name: string): Promise<NameResult> {
    const { servers } = this.parts;
    const [four, six] = await bothFamilies(servers.ask(name, 4), servers.ask(name, 6));
    const ordered = getDefaultResultOrder() === 'ipv6first' ? [six, four] : [four, six];
    const found = ordered.filter((records) => records?.kind === 'found');
    if (found.length > 0) {
      const addresses = found.flatMap((records) => records.addresses.map(withFamily));
      return { kind: 'found', addresses, ttlMs: Math.min(...found.map(({ ttlMs }) => ttlMs)) };
    }
    return ordered.find((records) => records?.kind === 'failed') ?? { kind: 'absent' };
  }
}

/** Undefined stands for an answer that was not waited for, as the other one was of use. */
async function bothFamilies(
  ...questions: [Promise<Records>, Promise<Records>]
): Promise<readonly (Records | undefined)[]> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<undefined>((resolve) => {
    for (const question of questions) {
      void question.then((records) => {
        if (records.kind === 'found') timer ??= setTimeout(resolve, OTHER_FAMILY_MS, undefined);
      });
    }
  });
  const all = await Promise.all(questions.map((question) => Promise.race([question, enough])));
  clearTimeout(timer);
  return all;
}

function withFamily(address: string): LookupAddress {
  const family: Family = isIP(address) === 6 ? 6 : 4;
  return { address, family };
}
