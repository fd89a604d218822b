import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'undici';
import type { Config, RetryConfig } from '../config/config';
import { toOutcome } from '../destinations/http/answer';
import { HttpExchange } from '../destinations/http/exchange';
import { sign, signingKey } from '../destinations/webhook/signing';
import { outgoingClient } from '../network/outgoing';
import type { Outcome } from '../pipeline/delivery';
import { decide } from '../retry/policy';
import { monotonicMs } from '../time/monotonic';
import { VERSION } from '../version';
import { type Alert, alertBody } from './alert-body';

export interface AlertSenderParts {
  readonly config: Config;
  /** `ALERT_WEBHOOK_URL`. */
  readonly url: string;
  /** An attempt failed and is made again. What is passed does not contain the address. */
  readonly onRetry?: (outcome: Outcome, delayMs: number) => void;
}

/** Connections: one for each cause that may be reported at the same time. */
const CONNECTIONS = 4;
const TIMEOUT_MS = 15_000;
/** An answer does not change that says that the address is wrong. */
const REJECTED: ReadonlySet<number> = new Set([400, 401, 403, 404, 410, 422]);

/** Posts alerts, signed as webhooks are, and tries again by the relay's own schedule. */
export class AlertSender {
  private readonly client: Pool;
  private readonly keys: readonly Buffer[];
  private readonly path: string;
  private readonly credentials: readonly string[];

  constructor(private readonly parts: AlertSenderParts) {
    const { config, url } = parts;
    const address = new URL(url);
    const { origin, pathname, search, username, password } = address;
    this.client = outgoingClient(config.outgoing, origin, CONNECTIONS);
    this.keys = config.alerts.secrets.map(signingKey);
    // Telegram's query is part of the body: it does not read both.
    this.path = config.alerts.format === 'telegram' ? pathname : pathname + search;
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.credentials = user === ':' ? [] : ['authorization', `Basic ${Buffer.from(user).toString('base64')}`];
  }

  /**
   * The same body under the same id until it arrives, no attempt is left, or the signal ends it. Resolves to the outcome of the
   * last attempt.
   */
  async send(id: string, alert: Alert, signal: AbortSignal): Promise<Outcome> {
    const retry: RetryConfig = this.parts.config.retry;
    const body = this.bodyOf(alert);
    for (let attempt = 1; ; attempt++) {
      const at = Date.now();
      const startedMs = monotonicMs();
      const outcome = await this.attempt({ id, body, attempt }, signal);
      if (signal.aborted || outcome.kind === 'delivered' || outcome.kind === 'discarded') return outcome;
      const record = { attempt, at, durationMs: monotonicMs() - startedMs, outcome };
      // An interruption is our own fault, and alerts are not stored: it counts as any other attempt.
      if (attempt >= retry.maxAttempts) return outcome;
      const decision = decide(retry, retry.maxAttempts, record, Math.random());
      if (decision.kind === 'give-up') return outcome;
      this.parts.onRetry?.(outcome, decision.delayMs);
      await delay(decision.delayMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return outcome;
    }
  }

  /** One attempt, for a person who waits. */
  once(id: string, alert: Alert): Promise<Outcome> {
    return this.attempt({ id, body: this.bodyOf(alert), attempt: 1 }, new AbortController().signal);
  }

  close(): Promise<void> {
    return this.client.destroy();
  }

  private bodyOf(alert: Alert): Buffer {
    const { config, url } = this.parts;
    const { format } = config.alerts;
    return alertBody(alert, { format, url, relay: config.redis.prefix, now: Date.now() });
  }

  private async attempt({ id, body, attempt }: Post, signal: AbortSignal): Promise<Outcome> {
    const headers = this.headersOf({ id, body, attempt });
    const request = { path: this.path, headers, body };
    const running = new HttpExchange(this.client, request, (result) =>
      toOutcome(result, REJECTED, Date.now()),
    );
    const timer = setTimeout(() => running.abort('timeout'), TIMEOUT_MS);
    const onAbort = (): void => running.abort('shutdown');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await running.outcome;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  private headersOf({ id, body, attempt }: Post): string[] {
    const timestamp = Math.floor(Date.now() / 1000);
    const headers = [
      ...['content-type', 'application/json', 'user-agent', `evolution-relay/${VERSION}`],
      ...[
        'webhook-id',
        id,
        'webhook-timestamp',
        String(timestamp),
        'x-evolution-relay-attempt',
        String(attempt),
      ],
      ...this.credentials,
    ];
    if (this.keys.length > 0) headers.push('webhook-signature', sign(this.keys, id, timestamp, body));
    return headers;
  }
}

interface Post {
  readonly id: string;
  readonly body: Buffer;
  readonly attempt: number;
}
