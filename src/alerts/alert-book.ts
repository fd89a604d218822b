import { createHash } from 'node:crypto';
import type { Outcome } from '../pipeline/delivery';
import type { AlertCause, AlertMessage, Seen } from './alert-causes';
import { afterSending, dueAlerts } from './due-alerts';
import type { Told } from './told-alerts';

export interface AlertBookParts {
  /** `REDIS_PREFIX_KEY`. */
  readonly relay: string;
  readonly intervalMs: number;
  /** Resolves once the message arrived, or there is no more use in trying. */
  readonly send: (id: string, message: AlertMessage, signal: AbortSignal) => Promise<Outcome>;
  readonly onSent: (cause: AlertCause) => void;
  readonly onFailed: (cause: AlertCause, outcome: Outcome) => void;
  /** What was said changed. */
  readonly onTold: () => void;
}

/** What was said, and the messages under way, one of each cause. Nothing counts as said before it has arrived. */
export class AlertBook {
  private readonly sending = new Map<AlertCause, Promise<void>>();
  /** When messages were given up on: what they would have said is said again an interval later. */
  private readonly failedAt = new Map<AlertCause, number>();
  private readonly stopped = new AbortController();
  private now = 0;

  constructor(
    private readonly parts: AlertBookParts,
    public told: Told,
  ) {}

  /** Sends what is due; waits for nothing. */
  follow(seen: Seen): void {
    this.now = seen.now;
    const { intervalMs } = this.parts;
    for (const message of dueAlerts(seen, this.told, { intervalMs, busy: this.busy() })) {
      const { cause } = message;
      const sending = this.send(message).finally(() => this.sending.delete(cause));
      this.sending.set(cause, sending);
    }
  }

  /** Ends what is under way: it was not said, so another worker says it. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.sending.values());
  }

  private busy(): ReadonlySet<AlertCause> {
    const waiting = [...this.failedAt].filter(([, at]) => Math.abs(this.now - at) < this.parts.intervalMs);
    return new Set([...this.sending.keys(), ...waiting.map(([cause]) => cause)]);
  }

  private async send(message: AlertMessage): Promise<void> {
    const { send, onSent, onFailed, onTold } = this.parts;
    const { cause } = message;
    const outcome = await send(this.idOf(message), message, this.stopped.signal);
    if (outcome.kind === 'delivered') {
      this.failedAt.delete(cause);
      this.told = afterSending(this.told, message, this.now);
      onSent(cause);
      onTold();
    } else if (!this.stopped.signal.aborted) {
      this.failedAt.set(cause, this.now);
      onFailed(cause, outcome);
    }
  }

  /** The same for the same news of the same interval, whichever worker says it: receivers leave out repeats by it. */
  private idOf(message: AlertMessage): string {
    const { relay, intervalMs } = this.parts;
    const about = message.kind === 'counted' ? [] : message.items.map(({ subject }) => subject);
    const window = Math.floor(this.now / intervalMs);
    const text = JSON.stringify([relay, message.cause, message.kind, window, about]);
    return `alert_${createHash('sha256').update(text).digest('base64url').slice(0, 24)}`;
  }
}
