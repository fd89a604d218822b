import dns, { type LookupAddress } from 'node:dns';
import { LRUCache } from 'lru-cache';
import { monotonicMs } from '../time/monotonic';
import { endsWithin } from '../time/within';
import type { Resolve } from './name-lookup';

/** How long the C library may take; it is asked after the name servers, while connecting still has time. */
const DEADLINE_MS = 3000;
/** What the C library does not know either is not asked for again for so long. */
const FAILURE_MS = 10_000;
/** The operator names a handful of hosts. */
const MAX_REMEMBERED = 256;

/**
 * Names that the operator chose: where the hosts file and the name servers know nothing, the C library is asked, which
 * may know more (mDNS, NSS modules, scoped resolvers). It is asked one thing at a time, so that it holds one of the process's four
 * threads at most; names of tenants never get here.
 */
export class OperatorNames {
  /** When each name may be asked for again. */
  private readonly unknown = new LRUCache<string, number>({ max: MAX_REMEMBERED });
  private asked: { readonly name: string; readonly answer: Promise<readonly LookupAddress[]> } | undefined;

  constructor(
    private readonly first: Resolve,
    private readonly library: Resolve = dns.lookup,
  ) {}

  readonly resolve: Resolve = (hostname, options, callback) => {
    this.first(hostname, options, (error, addresses) => {
      if (error === null) return callback(null, addresses);
      void this.askLibrary(hostname).then((more) => {
        const { family } = options;
        const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
        const fitting = more.filter((address) => !wanted || address.family === wanted);
        process.nextTick(() => (fitting.length > 0 ? callback(null, fitting) : callback(error, [])));
      });
    });
  };

  /** Empty where it knows nothing, is busy with another name, or takes too long. */
  private async askLibrary(name: string): Promise<readonly LookupAddress[]> {
    if (this.asked !== undefined && this.asked.name !== name) return [];
    if ((this.unknown.get(name) ?? 0) > monotonicMs()) return [];
    this.asked ??= { name, answer: this.call(name) };
    const { answer } = this.asked;
    const addresses = (await endsWithin(answer, DEADLINE_MS)) ? await answer : [];
    if (addresses.length === 0) this.unknown.set(name, monotonicMs() + FAILURE_MS);
    return addresses;
  }

  private call(name: string): Promise<readonly LookupAddress[]> {
    return new Promise((resolve) => {
      this.library(name, { all: true }, (error, addresses) => {
        this.asked = undefined;
        resolve(error === null ? addresses : []);
      });
    });
  }
}
