import { promises as dns, type RecordWithTtl } from 'node:dns';
import { errorCode } from '../errors';
import type { LookupFailure, Probe } from './shared-fault';

/** One question to the servers is sent twice: at once, and after this long. c-ares waits twice as long the second time. */
const TIMEOUT_MS = 1000;
const TRIES = 2;

export type Family = 4 | 6;

/** What the name servers say about one complete name and family. */
export type Records =
  | { readonly kind: 'found'; readonly addresses: readonly string[]; readonly ttlMs: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly failure: LookupFailure; readonly cause: unknown };

/** The servers were asked, and the name does not exist, or never can. */
const ABSENT: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);
const FAILURES: Readonly<Record<string, LookupFailure>> = { ETIMEOUT: 'silent', ECONNREFUSED: 'unreachable' };

/**
 * The servers that the system names, asked by c-ares: each question is a packet and a few bytes, however long nobody
 * answers. `dns.lookup` takes one of the process's four threads for as long, of which it may take two.
 */
export class NameServers {
  private resolver: dns.Resolver;
  private knownText: string | undefined;

  /** `servers`: instead of the system's, `address:port`. */
  constructor(private readonly servers?: readonly string[]) {
    this.resolver = this.open(TRIES);
  }

  /** Takes up the system's servers again where `text`, the file that names them, has changed. */
  follow(text: string): void {
    if (this.knownText !== undefined && this.knownText !== text) this.resolver = this.open(TRIES);
    this.knownText = text;
  }

  async ask(name: string, family: Family): Promise<Records> {
    try {
      const records: RecordWithTtl[] =
        family === 4
          ? await this.resolver.resolve4(name, { ttl: true })
          : await this.resolver.resolve6(name, { ttl: true });
      const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000;
      return records.length === 0
        ? { kind: 'absent' }
        : { kind: 'found', addresses: records.map(({ address }) => address), ttlMs };
    } catch (cause) {
      return this.failureOf(cause);
    }
  }

  /** Asks for the root zone's servers, and for a name that was found before: no tenant can keep both from an answer. */
  async probe(knownName: string | undefined): Promise<Probe> {
    const resolver = this.open(1);
    const questions = [resolver.resolveNs('.'), ...(knownName ? [resolver.resolve4(knownName)] : [])];
    const answers = await Promise.allSettled<unknown>(questions);
    const results = answers.map((answer) =>
      answer.status === 'fulfilled' ? ('works' as const) : probeOf(this.failureOf(answer.reason)),
    );
    if (results.includes('works')) return 'works';
    return results.includes('refused') ? 'refused' : 'silent';
  }

  private open(tries: number): dns.Resolver {
    const resolver = new dns.Resolver({ timeout: TIMEOUT_MS, tries });
    if (this.servers !== undefined) resolver.setServers(this.servers);
    return resolver;
  }

  private failureOf(cause: unknown): Exclude<Records, { kind: 'found' }> {
    const code = errorCode(cause);
    return ABSENT.has(code)
      ? { kind: 'absent' }
      : { kind: 'failed', failure: FAILURES[code] ?? 'refused', cause };
  }
}

function probeOf(records: Exclude<Records, { kind: 'found' }>): Probe {
  if (records.kind === 'absent') return 'works';
  return records.failure === 'refused' ? 'refused' : 'silent';
}
