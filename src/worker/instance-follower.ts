import { setTimeout as delay } from 'node:timers/promises';
import { BrokerUnavailableError } from '../errors';
import type { Settings } from '../settings/section';
import type { SettingsCache } from '../settings/settings-cache';
import { SettingsUnreadableError } from '../settings/settings-errors';
import { Backoff } from '../time/backoff';
import { forEachApart } from '../time/for-each-apart';
import { within } from '../time/within';

export interface InstanceFollowerParts {
  readonly settings: Pick<SettingsCache, 'of'>;
  /** Instances whose settings in Redis say that what is theirs at this broker is consumed. */
  readonly names: () => Promise<readonly string[]>;
  /** Makes the source do as an instance's settings say; whether anything of it is consumed. */
  readonly apply: (instance: string, settings: Settings | undefined) => Promise<boolean>;
  /** Undefined where the fault is none of one instance: their names cannot be read. */
  readonly onError: (error: unknown, instance: string | undefined) => void;
}

/** Instances that are followed at once: a broker that does not answer for one keeps few others waiting. */
const AT_ONCE = 50;
/** An answer that does not come holds up no change of another instance for longer. */
const APPLY_MS = 30_000;
const RETRY = { firstMs: 1000, lastMs: 60_000, jitter: 0.2 };

/** Nothing is to be done, something is being done, or the time until it is tried again is waited for. */
type State = 'idle' | 'following' | 'pausing' | 'closed';

/**
 * Makes a source consume what belongs to those instances whose settings say so, as settings change. Each instance is
 * followed apart from the others: what fails is tried again, and an instance whose settings cannot be read stays as it
 * is until they can.
 */
export class InstanceFollower {
  /** Those of which something is or may be consumed. */
  private readonly known: Set<string>;
  private readonly due = new Set<string>();
  private isEveryOneDue = false;
  private state: State = 'idle';
  private readonly backoff = new Backoff(RETRY);
  private closing = new AbortController();

  /** @param fromStart instances of SETTINGS_FILE: the source may consume what is theirs, and Redis may say otherwise */
  constructor(
    private readonly parts: InstanceFollowerParts,
    fromStart: Iterable<string>,
  ) {
    this.known = new Set(fromStart);
  }

  /** Follows a change of settings: of this instance, or of any (undefined). */
  change(instance: string | undefined): void {
    if (instance === undefined) this.isEveryOneDue = true;
    else this.due.add(instance);
    if (this.state === 'idle') void this.followAll();
    // What changed is not kept waiting by what failed before.
    else if (this.state === 'pausing') this.closing.abort();
  }

  close(): void {
    this.state = 'closed';
    this.closing.abort();
  }

  private get isClosed(): boolean {
    return this.state === 'closed';
  }

  private async followAll(): Promise<void> {
    this.state = 'following';
    while (!this.isClosed && (this.isEveryOneDue || this.due.size > 0)) {
      const failed = await this.followDue();
      if (this.isClosed) return;
      if (failed.size === 0) this.backoff.reset();
      else await this.pause();
      for (const instance of failed) this.due.add(instance);
    }
    if (!this.isClosed) this.state = 'idle';
  }

  /** Those that could not be followed; all that was due is due again where the names could not be read. */
  private async followDue(): Promise<ReadonlySet<string>> {
    const failed = new Set<string>();
    const { onError } = this.parts;
    try {
      if (this.isEveryOneDue) {
        for (const name of [...this.known, ...(await this.parts.names())]) this.due.add(name);
        this.isEveryOneDue = false;
      }
    } catch (error) {
      onError(error, undefined);
      await this.pause();
      return failed;
    }
    const items = [...this.due];
    this.due.clear();
    await forEachApart({
      items,
      atOnce: AT_ONCE,
      work: (instance) => this.follow(instance),
      onFault: (error, instance) => {
        failed.add(instance);
        onError(error, instance);
      },
    });
    return failed;
  }

  private async follow(instance: string): Promise<void> {
    const settings = await this.parts.settings.of(instance);
    if (settings instanceof SettingsUnreadableError || this.isClosed) return;
    const isConsumed = await within(this.parts.apply(instance, settings), APPLY_MS, tooLate);
    if (isConsumed) this.known.add(instance);
    else this.known.delete(instance);
  }

  private async pause(): Promise<void> {
    if (this.isClosed) return;
    this.state = 'pausing';
    this.closing = new AbortController();
    await delay(this.backoff.next(), undefined, { signal: this.closing.signal }).catch(() => {});
    if (!this.isClosed) this.state = 'following';
  }
}

function tooLate(): BrokerUnavailableError {
  return new BrokerUnavailableError(`the broker has not answered for ${APPLY_MS / 1000} s`);
}
