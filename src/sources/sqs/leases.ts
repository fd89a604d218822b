import { bulkhead } from 'cockatiel';
import { SlotMap } from '../../slot-map';
import { monotonicMs } from '../../time/monotonic';
import { BATCH, type EntryFailure, type SqsApi } from './api';
import type { Receipt } from './batches';

/** A message that is hidden from others for a time. */
export interface Leased extends Receipt {
  readonly id: string;
  /** When others may see it again, by the monotonic clock. */
  hiddenUntil: number;
}

export interface LeasesParts {
  readonly api: Pick<SqsApi, 'setVisibility'>;
  readonly visibilitySeconds: number;
}

/** A lease is extended when less than this share of it is left. */
const EXTEND_AT = 0.5;
const LOST = 0;
const CHECKS_PER_LEASE = 8;
/** Calls that extend leases, side by side: polls and deletes use the same connections. */
const EXTENSIONS_AT_ONCE = 32;

/** Keeps messages hidden from others for as long as they are held here. */
export class Leases<T extends Leased> {
  private readonly held = new SlotMap<string, { readonly message: T; readonly number: number }>();
  private last = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly extending = new Set<T>();
  /** What waits is bounded by what is held. */
  private readonly calls = bulkhead(EXTENSIONS_AT_ONCE, Number.POSITIVE_INFINITY);

  constructor(private readonly parts: LeasesParts) {}

  get count(): number {
    return this.held.size;
  }

  start(): void {
    const intervalMs = (this.parts.visibilitySeconds * 1000) / CHECKS_PER_LEASE;
    this.timer ??= setInterval(() => this.extendDue(monotonicMs()), intervalMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  find(queueUrl: string, id: string): T | undefined {
    return this.held.get(keyOf(queueUrl, id))?.message;
  }

  /** In the order in which they came. */
  all(): T[] {
    const held = this.held.entries().map(([, each]) => each);
    return held.sort((one, other) => one.number - other.number).map(({ message }) => message);
  }

  hold(message: T): void {
    this.held.set(keyOf(message.queueUrl, message.id), { message, number: ++this.last });
  }

  forget(message: T): void {
    this.held.delete(keyOf(message.queueUrl, message.id));
  }

  private extendDue(now: number): void {
    const { visibilitySeconds } = this.parts;
    const due = new Map<string, T[]>();
    for (const message of this.all()) {
      if (this.extending.has(message) || message.hiddenUntil === LOST) continue;
      if (message.hiddenUntil - now > visibilitySeconds * 1000 * EXTEND_AT) continue;
      const of = due.get(message.queueUrl);
      if (of === undefined) due.set(message.queueUrl, [message]);
      else of.push(message);
    }
    for (const [queueUrl, messages] of due) {
      for (let start = 0; start < messages.length; start += BATCH) {
        this.extendInTurn(queueUrl, messages.slice(start, start + BATCH));
      }
    }
  }

  private extendInTurn(queueUrl: string, messages: readonly T[]): void {
    for (const message of messages) this.extending.add(message);
    void this.calls.execute(async () => {
      await this.extend(queueUrl, messages);
      for (const message of messages) this.extending.delete(message);
    });
  }

  private async extend(queueUrl: string, messages: readonly T[]): Promise<void> {
    const { api, visibilitySeconds } = this.parts;
    const hiddenUntil = monotonicMs() + visibilitySeconds * 1000;
    try {
      const handles = messages.map(({ handle }) => handle);
      const failures = await api.setVisibility(queueUrl, handles, visibilitySeconds);
      messages.forEach((message, index) => {
        // Received again meanwhile, it has a lease of its own.
        if (message.handle === handles[index]) this.extended(message, failures[index], hiddenUntil);
      });
    } catch {
      // The API reports it; it is asked for again at the next check.
    }
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
