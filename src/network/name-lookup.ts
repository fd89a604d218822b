import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { LRUCache } from 'lru-cache';
import { NameError } from '../errors';
import { monotonicMs } from '../time/monotonic';
import { within } from '../time/within';
import { isResolverDown, type Probe, RecentUses } from './shared-fault';
import type { NameResult } from './system-names';

/** `dns.lookup` as the address guard calls it: always for all addresses. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** How long one look-up may take, the search list included; connecting has a longer limit of its own. */
const DEADLINE_MS = 5000;
/** What was found is used again for as long as its owner says, and no longer than this: containers move. */
const LONGEST_MS = 10_000;
/** What was not found, or not answered, is not asked for again for so long. */
const FAILURE_MS = 3000;
/** Names that are remembered, found or not: a few hundred bytes each. */
const MAX_REMEMBERED = 4096;
/** Names asked for at once. An attempt asks for one, so there are never more of them than attempts, which are fewer. */
const MAX_PENDING = 8192;
/** A name that has no answer after this long makes a probe of the servers worth while. */
const SUSPICION_MS = 1000;
/** How long what a probe found holds. */
const PROBE_MS = 4000;

export interface NameLookupParts {
  readonly find: (name: string) => Promise<NameResult>;
  readonly probe: (knownName: string | undefined) => Promise<Probe>;
}

interface Remembered {
  readonly until: number;
  readonly answer: Answer;
}

type Answer =
  | { readonly kind: 'found'; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'failed'; readonly error: NameError };

/**
 * Resolves names for every connection of the process to where somebody else chose. Each name is asked for once at a time
 * and shared by all that wait for it; a name that nobody answers takes nothing from others, and ends by a deadline.
 * Whether that is the name's fault or ours is `isResolverDown`'s to say.
 */
export class NameLookup {
  private readonly remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED });
  private readonly pending = new Map<string, Promise<Answer>>();
  private readonly uses = new RecentUses();
  private lastFound: string | undefined;
  private probing: { readonly at: number; readonly result: Promise<Probe> } | undefined;

  constructor(private readonly parts: NameLookupParts) {}

  /** Calls back later, never at once, with NameError where the name leads nowhere. */
  readonly resolve: Resolve = (hostname, { family }, callback) => {
    const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
    void this.answerFor(hostname.toLowerCase()).then((answer) => {
      // Out of the promise: what the callback throws is no rejection of ours.
      process.nextTick(() => {
        if (answer.kind === 'failed') return callback(answer.error, []);
        const addresses = answer.addresses.filter((each) => !wanted || each.family === wanted);
        if (addresses.length > 0) callback(null, addresses);
        else callback(new NameError('ENOTFOUND', `${hostname} has no IPv${wanted} address`), []);
      });
    });
  };

  private answerFor(name: string): Promise<Answer> {
    const known = this.remembered.get(name);
    if (known !== undefined && known.until > monotonicMs()) return Promise.resolve(known.answer);
    const under = this.pending.get(name);
    if (under !== undefined) return under;
    if (this.pending.size >= MAX_PENDING)
      return Promise.resolve({
        kind: 'failed',
        error: new NameError('RESOLVER_DOWN', `too many names are being resolved, so ${name} is not`),
      });
    const answer = this.ask(name).finally(() => this.pending.delete(name));
    this.pending.set(name, answer);
    return answer;
  }

  private async ask(name: string): Promise<Answer> {
    const startedAt = monotonicMs();
    const suspicion = setTimeout(() => void this.probe(), SUSPICION_MS);
    const result = await this.endedFind(name);
    clearTimeout(suspicion);
    const { answer, rememberMs } = await this.answerOf(name, result, startedAt);
    if (rememberMs > 0) this.remembered.set(name, { until: monotonicMs() + rememberMs, answer });
    return answer;
  }

  /** What was found by the deadline; what comes later is dropped. */
  private endedFind(name: string): Promise<NameResult> {
    return within(
      this.parts.find(name),
      DEADLINE_MS,
      () => new NameError('EAI_AGAIN', `nobody answered for ${name} in time`),
    ).catch((cause: unknown) => ({
      kind: 'failed',
      failure: 'silent',
      cause,
    }));
  }

  private async answerOf(
    name: string,
    result: NameResult,
    startedAt: number,
  ): Promise<{ readonly answer: Answer; readonly rememberMs: number }> {
    switch (result.kind) {
      case 'local':
        return { answer: { kind: 'found', addresses: result.addresses }, rememberMs: 0 };
      case 'found':
        this.uses.noteWorked(monotonicMs());
        this.lastFound = name;
        return {
          answer: { kind: 'found', addresses: result.addresses },
          rememberMs: Math.min(LONGEST_MS, result.ttlMs),
        };
      case 'absent':
        this.uses.noteWorked(monotonicMs());
        return failed(new NameError('ENOTFOUND', `there is no address for the name ${name}`));
      case 'failed':
        return failed(await this.errorOf(name, result, startedAt));
    }
  }

  private async errorOf(
    name: string,
    { failure, cause }: Extract<NameResult, { kind: 'failed' }>,
    startedAt: number,
  ): Promise<NameError> {
    const { uses } = this;
    uses.noteFailed(name);
    const probe = await this.probe();
    const { failedNames } = uses;
    return isResolverDown({ failure, probe, othersWork: uses.workedSince(startedAt), failedNames })
      ? new NameError('RESOLVER_DOWN', `the name servers resolve no name, ${name} among them`, { cause })
      : new NameError('EAI_AGAIN', `the name servers do not answer for ${name}`, { cause });
  }

  /** One at a time for all that ask. */
  private probe(): Promise<Probe> {
    const now = monotonicMs();
    if (this.probing === undefined || now - this.probing.at > PROBE_MS)
      this.probing = { at: now, result: this.parts.probe(this.lastFound) };
    return this.probing.result;
  }
}

function failed(error: NameError): { readonly answer: Answer; readonly rememberMs: number } {
  return { answer: { kind: 'failed', error }, rememberMs: FAILURE_MS };
}
