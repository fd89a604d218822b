import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import type { OutgoingConfig } from '../config/outgoing-config';
import { outgoingClientWith } from '../network/outgoing';
import { type TextAnswer, textAnswerOf } from '../network/text-answer';
import { CLIENT_NAME } from '../version';
import { type Existence, existenceIn, jsonOf } from './core-answer';

export interface CoreInstancesParts {
  /** CORE_API_URL. */
  readonly url: string;
  readonly apiKey: string;
  readonly outgoing: OutgoingConfig;
  /** It could not be asked. */
  readonly onError: (error: unknown) => void;
}

const CONNECTIONS = 4;
const TIMEOUT_MS = 3000;
/** Instances are made seldom, and removed more seldom. */
const REMEMBERED_MS = 60_000;
/** Of an instance's row, or of whatever answers there. */
const MAX_ANSWER = 1_048_576;

/** Asks the core API itself which instances it has, as clients of its routes learn it there: 404. */
export class CoreInstances {
  private readonly client: Pool;
  private readonly path: string;
  /** Only those that exist: one that does not may be made at any moment. */
  private readonly seen = new LRUCache<string, true>({ max: 10_000, ttl: REMEMBERED_MS });

  constructor(private readonly parts: CoreInstancesParts) {
    const { origin, pathname } = new URL(parts.url);
    this.path = pathname.replace(/\/+$/, '');
    this.client = outgoingClientWith(parts.outgoing, origin, {
      connections: CONNECTIONS,
      maxAnswer: MAX_ANSWER,
    });
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

  /** Whether a gateway of a relay answers there: it would say that there is no instance but those with settings. */
  async isGateway(): Promise<boolean> {
    const { text } = await this.get('/', {});
    const value = jsonOf(text);
    return (
      typeof value === 'object' && value !== null && 'clientName' in value && value.clientName === CLIENT_NAME
    );
  }

  private async ask(instance: string): Promise<Exclude<Existence, 'unclear'>> {
    const route = `/instance/fetchInstances?instanceName=${encodeURIComponent(instance)}`;
    return existenceIn(await this.get(route, { apikey: this.parts.apiKey }), this.path);
  }

  private async get(route: string, headers: Readonly<Record<string, string>>): Promise<TextAnswer> {
    const answer = await this.client.request({
      path: this.path + route,
      method: 'GET',
      headers: { ...headers, accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return textAnswerOf(answer);
  }
}
