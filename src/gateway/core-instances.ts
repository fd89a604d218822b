import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { OutgoingConfig } from '../config/outgoing-config';
import { RelayError } from '../errors';
import { outgoingClient } from '../network/outgoing';

/** Whether the core API has an instance; `unclear` where it does not say. */
export type Existence = 'known' | 'unknown' | 'unclear';

export interface CoreInstancesParts {
  /** CORE_API_URL. */
  readonly url: string;
  readonly apiKey: string;
  readonly outgoing: OutgoingConfig;
  /** It could not be asked. */
  readonly onError: (error: unknown) => void;
}

/** What answers at CORE_API_URL does not say which instances there are. */
class CoreAnswerError extends RelayError {}

const CONNECTIONS = 4;
const TIMEOUT_MS = 3000;
/** Instances are made seldom, and removed more seldom. */
const REMEMBERED_MS = 60_000;
/** Of an instance's row. */
const MAX_ANSWER = 1_048_576;

/** Asks the core API itself which instances it has, as clients of its routes learn it there: 404. */
export class CoreInstances {
  private readonly client: Pool;
  private readonly path: string;
  /** Only those that exist: one that does not may be made at any moment. */
  private readonly seen = new LRUCache<string, true>({ max: 10_000, ttl: REMEMBERED_MS });

  constructor(private readonly parts: CoreInstancesParts) {
    const { origin, pathname } = new URL(parts.url);
    this.path = pathname.replace(/\/$/, '');
    this.client = outgoingClient(parts.outgoing, origin, CONNECTIONS);
  }

  async has(instance: string): Promise<Existence> {
    if (this.seen.has(instance)) return 'known';
    try {
      const existence = await this.ask(instance);
      if (existence === 'known') this.seen.set(instance, true);
      return existence;
    } catch (error) {
      this.parts.onError(error);
      return 'unclear';
    }
  }

  close(): Promise<void> {
    return this.client.destroy();
  }

  private async ask(instance: string): Promise<Existence> {
    const { statusCode, body } = await this.client.request({
      path: `${this.path}/instance/fetchInstances?instanceName=${encodeURIComponent(instance)}`,
      method: 'GET',
      headers: { apikey: this.parts.apiKey, accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // Up to 2.1 an empty list, later 404.
    if (statusCode === 404) {
      await body.dump({ limit: MAX_ANSWER });
      return 'unknown';
    }
    if (statusCode !== 200) {
      await body.dump({ limit: MAX_ANSWER });
      throw notUnderstood(statusCode);
    }
    const rows: unknown = await body.json().catch(() => undefined);
    if (!Array.isArray(rows)) throw notUnderstood(statusCode);
    return rows.length > 0 ? 'known' : 'unknown';
  }
}

function notUnderstood(status: number): CoreAnswerError {
  const what =
    status === 401 || status === 403
      ? 'the core API refuses the key: AUTHENTICATION_API_KEY must be the same on both sides'
      : `what answers at CORE_API_URL is not the core API, or does not serve (HTTP ${status})`;
  return new CoreAnswerError(`HTTP_${status}`, what);
}
