import { BATCH, type EntryFailure, type SqsApi } from './api';
import type { Receipt } from './batches';

/** A message that is hidden from others for a time. */
export interface Leased extends Receipt {
  readonly id: string;
  /** When others may see it again. */
  hiddenUntil: number;
}

export interface LeasesParts {
  readonly api: Pick<SqsApi, 'setVisibility'>;
  readonly visibilitySeconds: number;
  readonly onError: (error: unknown, queueUrl: string) => void;
}

/** A lease is extended when less than this share of it is left. */
const EXTEND_AT = 0.5;
const LOST = 0;
const CHECKS_PER_LEASE = 8;

/** Keeps messages hidden from others for as long as they are held here. */
export class Leases<T extends Leased> {
  private readonly held = new Map<string, T>();
  private timer: NodeJS.Timeout | undefined;
  private extending = new Set<T>();

  constructor(private readonly parts: LeasesParts) {}

  get count(): number {
    return this.held.size;
  }

  start(): void {
    const intervalMs = (this.parts.visibilitySeconds * 1000) / CHECKS_PER_LEASE;
    this.timer ??= setInterval(() => this.extendDue(Date.now()), intervalMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  find(queueUrl: string, id: string): T | undefined {
    return this.held.get(keyOf(queueUrl, id));
  }

  all(): T[] {
    return [...this.held.values()];
  }

  hold(message: T): void {
    this.held.set(keyOf(message.queueUrl, message.id), message);
  }

  forget(message: T): void {
    this.held.delete(keyOf(message.queueUrl, message.id));
  }

  private extendDue(now: number): void {
    const { visibilitySeconds } = this.parts;
    const due = new Map<string, T[]>();
    for (const message of this.held.values()) {
      if (this.extending.has(message) || message.hiddenUntil === LOST) continue;
      if (message.hiddenUntil - now > visibilitySeconds * 1000 * EXTEND_AT) continue;
      const of = due.get(message.queueUrl);
      if (of === undefined) due.set(message.queueUrl, [message]);
      else of.push(message);
    }
    for (const [queueUrl, messages] of due) {
      for (let start = 0; start < messages.length; start += BATCH) {
        void this.extend(queueUrl, messages.slice(start, start + BATCH));
      }
    }
  }

  private async extend(queueUrl: string, messages: readonly T[]): Promise<void> {
    const { api, visibilitySeconds, onError } = this.parts;
    const hiddenUntil = Date.now() + visibilitySeconds * 1000;
    for (const message of messages) this.extending.add(message);
    try {
      const handles = messages.map(({ handle }) => handle);
      const failures = await api.setVisibility(queueUrl, handles, visibilitySeconds);
      messages.forEach((message, index) => {
        // Received again meanwhile, it has a lease of its own.
        if (message.handle === handles[index]) this.extended(message, failures[index], hiddenUntil);
      });
    } catch (error) {
      // Asked for again at the next look.
      onError(error, queueUrl);
    }
    for (const message of messages) this.extending.delete(message);
  }

  private extended(message: T, failure: EntryFailure | undefined, hiddenUntil: number): void {
    if (failure === undefined) message.hiddenUntil = hiddenUntil;
    else if (failure.isFinal) {
      // Others may see it. It is recognised when it comes anew, with another receipt.
      message.hiddenUntil = LOST;
    }
  }
}

function keyOf(queueUrl: string, id: string): string {
  return `${queueUrl} ${id}`;
}
