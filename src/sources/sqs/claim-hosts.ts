import { LRUCache } from 'lru-cache';
import type { Fields } from '../../observability/logging';

/** Links come from outside: no more hosts than this are remembered. */
const MAX_HOSTS = 100;
/** A host that nothing refers to any more is forgotten. */
const REMEMBERED_MS = 3_600_000;

export interface ClaimHostsParts {
  readonly warn: (message: string, fields: Fields) => void;
  readonly info: (message: string, fields: Fields) => void;
}

/** Which hosts do not give out files at the moment: logged once when it begins and once when it is over. */
export class ClaimHosts {
  private readonly failing = new LRUCache<string, string>({ max: MAX_HOSTS, ttl: REMEMBERED_MS });

  constructor(private readonly parts: ClaimHostsParts) {}

  isFailing(host: string): boolean {
    return this.failing.has(host);
  }

  failed(host: string, code: string): void {
    const isNews = !this.failing.has(host);
    this.failing.set(host, code);
    if (!isNews) return;
    this.parts.warn(
      'files of events too large for sqs cannot be fetched: their messages go back, and come again',
      {
        host,
        code,
      },
    );
  }

  answered(host: string): void {
    if (this.failing.delete(host))
      this.parts.info('files of events too large for sqs can be fetched again', { host });
  }

  /** For people; undefined where all hosts answer. */
  get summary(): string | undefined {
    const [first, ...others] = this.failing.entries();
    if (first === undefined) return undefined;
    const [host, code] = first;
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `files wait for ${host === '' ? 'a host' : host} (${code})${more}`;
  }
}
