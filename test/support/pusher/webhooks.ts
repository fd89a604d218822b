import { setTimeout as delay } from 'node:timers/promises';
import type { RoomEvent } from './rooms';
import type { PusherApp } from './rules';
import { hmac } from './signature';

const FIRST_RETRY_MS = 100;
/** Pusher itself goes on for five minutes. */
const MAX_TRIES = 6;

/** Sends an app's webhooks one after the other, as what they tell has an order. */
export class WebhookSender {
  #sending: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();
  /** Added to `time_ms`: the clock of the service is not that of the receiver. */
  skewMs = 0;

  send(app: PusherApp, events: readonly RoomEvent[]): void {
    const { webhookUrl } = app;
    if (webhookUrl === undefined) return;
    const body = JSON.stringify({ time_ms: Date.now() + this.skewMs, events });
    this.#sending = this.#sending.then(() => this.#post(app, webhookUrl, body)).catch(() => {});
  }

  /** Resolves when everything was taken or given up. */
  idle(): Promise<void> {
    return this.#sending;
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.#sending;
  }

  async #post(app: PusherApp, url: string, body: string): Promise<void> {
    const { signal } = this.#closing;
    for (let tries = 0; tries < MAX_TRIES && !signal.aborted; tries++) {
      if (tries > 0) await delay(FIRST_RETRY_MS * 2 ** tries, undefined, { signal });
      const status = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-pusher-key': app.key,
          'x-pusher-signature': hmac(app.secret, body),
        },
        body,
        signal,
      }).then(
        async (answer) => {
          await answer.arrayBuffer();
          return answer.status;
        },
        () => 0,
      );
      if (status >= 200 && status < 300) return;
    }
  }
}
