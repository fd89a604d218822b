import type { Envelope } from '../events/envelope';
import { connectionIn, isMessage, isOfEvolutionChannel, type Said } from './said';
import { type HeardOf, STEP_MS } from './silence-store';

export interface HeardCountsParts {
  readonly store: { heard(heard: readonly HeardOf[]): Promise<void> };
  /** Whether every source is connected: what is not heard otherwise is no silence. */
  readonly isListening: () => boolean;
  readonly onError: (error: unknown) => void;
}

interface Count {
  messages: number;
  others: number;
  said: Said | undefined;
}

/** Several times within each step. */
const FLUSH_MS = STEP_MS / 8;
/** Instances counted between two flushes; names come from outside. */
const MAX_INSTANCES = 20_000;

/** Counts what this worker hears of each instance, and adds it to what all heard. */
export class HeardCounts {
  private counts = new Map<string, Count>();
  /** Whose channel was looked at: a name, as long as this process knows it. */
  private readonly known = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: HeardCountsParts) {}

  start(): void {
    this.timer ??= setInterval(() => void this.flush(), FLUSH_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  note(envelope: Envelope): void {
    const { instance, event } = envelope;
    let count = this.counts.get(instance);
    if (count === undefined) {
      if (this.counts.size >= MAX_INSTANCES) return;
      count = { messages: 0, others: 0, said: undefined };
      this.counts.set(instance, count);
    }
    if (isMessage(event)) {
      count.messages++;
      if (!this.known.has(instance)) this.look(envelope, count);
    } else {
      count.others++;
      count.said = connectionIn(envelope) ?? count.said;
    }
  }

  /** Once for each instance: an Evolution channel says what somebody posts to it, and has no rhythm of its own. */
  private look(envelope: Envelope, count: Count): void {
    if (this.known.size >= MAX_INSTANCES) this.known.clear();
    this.known.add(envelope.instance);
    if (isOfEvolutionChannel(envelope)) count.said = 'unwatched';
  }

  private async flush(): Promise<void> {
    const { counts } = this;
    this.counts = new Map();
    if (!this.parts.isListening()) return;
    try {
      await this.parts.store.heard([...counts].map(([instance, count]) => ({ instance, ...count })));
    } catch (error) {
      // It is missing in the rhythm; a step that nobody reported is skipped.
      this.parts.onError(error);
    }
  }
}
