import { StoreUnavailableError } from '../errors';
import type { Step } from './retry-store';

/** One change of what is stored. */
export interface Change {
  /** About how much memory `prepare` takes. */
  readonly bytes: number;
  /** With whom it takes turns, where it has a body; left out of what is small. */
  readonly group?: string | undefined;
  /**
   * Called right before the change is sent, and again where Redis refused it: what it makes exists for a few transactions' changes
   * only.
   */
  readonly prepare: () => Step | Promise<Step>;
  /** Asked right before the change would be sent; not once it may be stored. */
  readonly isWithdrawn?: () => boolean;
}

/** A change that is not stored yet. */
export interface Pending {
  readonly bytes: number;
  readonly group: string | undefined;
  readonly change: Change;
  step?: Step | undefined;
  readonly resolve: (how: 'stored' | 'withdrawn') => void;
  readonly reject: (error: StoreUnavailableError) => void;
}

/** All other calls to Redis wait behind what is on its way. */
export const MAX_BYTES = 2 * 1024 * 1024;

/** What goes into one transaction; what was withdrawn ends here. */
export function takeSome(next: () => Pending | undefined, most: number): Pending[] {
  const batch: Pending[] = [];
  let bytes = 0;
  while (batch.length < most && bytes < MAX_BYTES) {
    const pending = next();
    if (pending === undefined) break;
    if (endsWithdrawn(pending)) continue;
    batch.push(pending);
    bytes += pending.bytes;
  }
  return batch;
}

/** Whether it is not to be sent any more. */
export function endsWithdrawn({ step, change, resolve }: Pending): boolean {
  if (step?.wasSent === true || !change.isWithdrawn?.()) return false;
  resolve('withdrawn');
  return true;
}

export async function prepare(batch: readonly Pending[]): Promise<{
  readonly prepared: readonly Pending[];
  readonly failed: readonly Pending[];
  readonly error: unknown;
}> {
  let error: unknown;
  const failed = new Set<Pending>();
  // All have ended before any is sent: one still under way would take the place of a step that was sent meanwhile.
  await Promise.all(
    batch.map(async (pending) => {
      try {
        pending.step ??= await pending.change.prepare();
      } catch (reason) {
        error = reason;
        failed.add(pending);
      }
    }),
  );
  const prepared = failed.size === 0 ? batch : batch.filter((pending) => !failed.has(pending));
  return { prepared, failed: [...failed], error };
}

export function resolveStored(stored: readonly Pending[]): number {
  for (const { resolve } of stored) resolve('stored');
  return stored.length;
}

export function giveUp(pending: readonly Pending[]): void {
  for (const { reject } of pending) reject(new StoreUnavailableError('the store is closed'));
}

/** What was never sent but to be refused has no effect, and its step is not needed; one that may be stored keeps its number. */
export function forgetStep(pending: Pending): void {
  if (pending.step?.wasSent !== true) pending.step = undefined;
}
