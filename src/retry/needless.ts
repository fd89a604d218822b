import type { Delivery } from '../pipeline/delivery';
import { type Supersedable, supersedableOf } from '../pipeline/superseding';
import type { StoredCalls } from './retry-store';

export interface SupersedingParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  /** A parked delivery like this one was discarded, as this one is newer. */
  readonly onSuperseded: (newer: Delivery) => void;
  readonly onError: (error: unknown) => void;
}

interface Noted {
  readonly delivery: Delivery;
  readonly text: string;
}

/** Those that begin within this time are reported to Redis together. */
const GATHER_MS = 50;
/** No more are remembered: what is parked is then delivered, although it is needless. */
const MOST_NOTED = 1000;

/** As the scripts read it (redis/supersede-script.ts). */
export function supersedeText(supersedable: Supersedable | undefined): string {
  if (supersedable === undefined) return '';
  const { key, at, withinMs } = supersedable;
  return `${key} ${at} ${withinMs}`;
}

/** What is parked, and made needless by an attempt that begins now, is discarded a moment later: no attempt waits for that. */
export class Superseding {
  private readonly noted = new Map<string, Noted>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: SupersedingParts) {}

  begins(delivery: Delivery): void {
    const supersedable = supersedableOf(delivery);
    if (supersedable === undefined || !this.parts.store.isReady) return;
    const { key } = supersedable;
    if (this.noted.size >= MOST_NOTED && !this.noted.has(key)) return;
    this.noted.set(key, { delivery, text: supersedeText(supersedable) });
    this.timer ??= setTimeout(() => void this.tell(), GATHER_MS);
  }

  /** What was noted is forgotten: it is only needless. */
  close(): void {
    clearTimeout(this.timer);
    this.noted.clear();
  }

  private async tell(): Promise<void> {
    this.timer = undefined;
    const noted = [...this.noted.values()];
    this.noted.clear();
    const { store, onSuperseded, onError } = this.parts;
    try {
      const replaced = (await store.call('relaySupersede', ...noted.map(({ text }) => text))) as unknown[];
      for (const [index, { delivery }] of noted.entries()) if (replaced[index] === 1) onSuperseded(delivery);
    } catch (error) {
      onError(error);
    }
  }
}
