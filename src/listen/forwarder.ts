import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'undici';
import { globalId, instanceId } from '../destinations/destination-ids';
import { WebhookDestination } from '../destinations/webhook/webhook-destination';
import type { Envelope } from '../events/envelope';
import { createHttpClient } from '../network/http-client';
import { type Delivery, deliveryId, destinationKey, type Outcome } from '../pipeline/delivery';
import { Backoff } from '../time/backoff';

export interface ForwarderParts {
  /** Where events are posted. */
  readonly url: string;
  /** Whose webhook the server is to be; undefined: the global one. */
  readonly instance: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly byEvents: boolean;
  readonly onAttempt: (attempt: ForwardAttempt) => void;
}

export interface ForwardAttempt {
  readonly envelope: Envelope;
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** What follows: nothing, another attempt, or attempts until something listens again. */
  readonly next: 'done' | 'given-up' | 'again' | 'waits';
}

const MOST_ATTEMPTS = 3;
const TIMEOUT_MS = 30_000;
const CONNECT_MS = 5000;
const AGAIN = { firstMs: 1000, lastMs: 2000 };
const WAITING = { firstMs: 500, lastMs: 5000 };
/** Answers that a webhook does not try again by default. */
const REJECTED: ReadonlySet<number> = new Set([400, 401, 403, 404, 422]);
/** A developer's server that is just being started anew. */
const NOBODY_LISTENS = 'ECONNREFUSED';

/**
 * Posts events one after the other, just as the instance's webhook would: same body, headers, signature and `webhook-id`. An
 * event that fails is tried three times; while nothing listens it waits, and those behind it, too.
 */
export class Forwarder {
  private readonly client: Pool;
  private readonly destination: WebhookDestination;
  private readonly stopped = new AbortController();

  constructor(private readonly parts: ForwarderParts) {
    const { url, instance, headers, secrets, byEvents } = parts;
    this.client = createHttpClient(new URL(url).origin, { connections: 1, connectTimeoutMs: CONNECT_MS });
    this.destination = new WebhookDestination(
      {
        id: instance === undefined ? globalId('webhook') : instanceId('webhook', instance),
        ...{ url, byEvents, headers },
        base64: true,
        signingSecrets: secrets,
        maxAttempts: MOST_ATTEMPTS,
        timeoutMs: TIMEOUT_MS,
        shares: [],
        limits: {},
      },
      { stripApikey: false, legacyPaths: false, rejectedStatuses: REJECTED },
      this.client,
    );
  }

  /** Resolves to whether it was delivered; undefined where it was stopped before that is known. */
  async forward(envelope: Envelope): Promise<boolean | undefined> {
    const { signal } = this.stopped;
    const waiting = new Backoff(WAITING);
    const again = new Backoff(AGAIN);
    for (let attempt = 1; !signal.aborted; ) {
      const next = await this.attempt(envelope, attempt);
      if (signal.aborted) return next === 'done' ? true : undefined;
      if (next === 'done' || next === 'given-up') return next === 'done';
      if (next === 'again') attempt++;
      await delay((next === 'waits' ? waiting : again).next(), undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  /** What is under way is cut short. */
  async close(): Promise<void> {
    this.stopped.abort();
    await this.client.destroy();
  }

  private async attempt(envelope: Envelope, attempt: number): Promise<ForwardAttempt['next']> {
    const { destination } = this;
    const id = deliveryId(envelope.id, destinationKey(destination.id));
    const delivery: Delivery = { id, envelope, destination };
    const startedAt = performance.now();
    const running = destination.start(delivery, attempt);
    const timer = setTimeout(() => running.abort('timeout'), TIMEOUT_MS);
    const outcome = await running.outcome;
    clearTimeout(timer);
    const next = nextOf(outcome, attempt);
    const durationMs = Math.round(performance.now() - startedAt);
    this.parts.onAttempt({ envelope, attempt, outcome, durationMs, next });
    return next;
  }
}

function nextOf(outcome: Outcome, attempt: number): ForwardAttempt['next'] {
  if (outcome.kind === 'delivered') return 'done';
  if ('code' in outcome && outcome.code === NOBODY_LISTENS) return 'waits';
  return outcome.kind === 'rejected' || attempt >= MOST_ATTEMPTS ? 'given-up' : 'again';
}
