import type { AttemptRecord, DeliveryId, LaneId } from '../pipeline/delivery';
import { DEAD_REASONS, type DeadReason, type Decision, type InLine } from '../pipeline/parking';
import type { Supersedable } from '../pipeline/superseding';
import { SlotMap } from '../slot-map';
import type { GroupCommit } from './group-commit';
import { HISTORY_LIMIT, historyLine, type JobData } from './job';
import { supersedeText } from './needless';
import type { StoredCalls } from './retry-store';
import { type Settlement, Settlements } from './settlements';
import type { Charge } from './shares';

/**
 * What a step found, and made of it. `lost`: another worker holds the delivery, or decided it; `gone`: it is not stored any
 * more, or was taken meanwhile; `known`: it was stored before; `unanswered`: the step was made, its answer was lost.
 */
export type StepResult =
  /** `newer`: it took the place of an older one, which it makes needless. */
  | { readonly kind: 'parked'; readonly newer?: true }
  | { readonly kind: 'known' | 'settled' | 'lost' | 'gone' | 'unanswered' }
  | { readonly kind: 'dead'; readonly reason: DeadReason };

/** A delivery that this worker holds. */
export interface Held {
  readonly id: DeliveryId;
  readonly token: string;
}

export interface NewDelivery {
  readonly id: DeliveryId;
  readonly data: JobData;
  readonly decision: Decision | InLine;
  readonly charge: Charge;
  /** What it makes needless; left out where nothing. */
  readonly supersedable?: Supersedable | undefined;
  /** Its request is under way. */
  readonly isSlow?: boolean;
  readonly lane?: LaneId | undefined;
  readonly laneGap?: DeliveryId | undefined;
}

export interface LateFailure {
  readonly id: DeliveryId;
  readonly decision: Decision;
  readonly record: AttemptRecord;
  /** How often workers had taken the delivery before; 0 after the direct attempt. */
  readonly timesTaken: number;
}

export interface ParkStep {
  readonly bytes: number;
  /** With whom it takes turns: see group-commit.ts. */
  readonly group?: string | undefined;
  readonly prepare: () => Promise<NewDelivery>;
  readonly isWithdrawn?: () => boolean;
}

export interface AppendStep {
  readonly bytes: number;
  /** As above. */
  readonly group?: string | undefined;
  /** Where the lane is empty, too. */
  readonly isForced: boolean;
  readonly prepare: () => Promise<readonly NewDelivery[]>;
}

/** What became of deliveries that were to be stored behind others of their lane. */
export interface LaneAnswer {
  /** Of those that are stored now, from the first on. */
  readonly stored: readonly StepResult[];
  /** The next one says that this one was given up on. */
  readonly gap: DeliveryId | undefined;
}

export interface StoredDeliveriesParts {
  readonly store: Pick<StoredCalls, 'step'>;
  readonly commit: GroupCommit;
  /** The name under which this process says that it is there (presence.ts). */
  readonly worker: string;
}

/** About what a step without a body takes. */
const STEP_BYTES = 300;
const PLAIN = ['parked', 'known', 'settled', 'lost', 'gone'] as const;

/**
 * The steps in the life of a stored delivery. Each is one script: it looks at the state that the delivery is in, changes
 * it and what counts it, or changes nothing where that was decided meanwhile. Rejects with StoreUnavailableError only
 * when the store was closed.
 */
export class StoredDeliveries {
  /**
   * Made by slow requests while Redis does not know yet: not to be fetched and made again. No more than slow attempts and
   * steps that wait for Redis.
   */
  private readonly made = new SlotMap<DeliveryId, true>();
  private readonly settlements: Settlements;

  constructor(private readonly parts: StoredDeliveriesParts) {
    this.settlements = new Settlements(parts);
  }

  async park({ bytes, group, prepare, isWithdrawn }: ParkStep): Promise<StepResult | { kind: 'withdrawn' }> {
    let reply: unknown;
    const how = await this.parts.commit.commit({
      bytes,
      group,
      ...(isWithdrawn === undefined ? {} : { isWithdrawn }),
      prepare: async () => {
        return this.parts.store.step(
          'relayPark',
          parkArguments(await prepare(), this.parts.worker),
          (answer) => {
            reply = answer;
          },
        );
      },
    });
    return how === 'withdrawn' ? { kind: 'withdrawn' } : resultOf(reply);
  }

  /** Stores deliveries of one lane behind what lies there, all of them or none before the first that need not be. */
  async append(lane: LaneId, { bytes, group, isForced, prepare }: AppendStep): Promise<LaneAnswer> {
    for (;;) {
      let reply: unknown;
      await this.parts.commit.commit({
        bytes,
        group,
        prepare: async () => {
          const entries = (await prepare()).flatMap(entryOf);
          return this.parts.store.step('relayAppend', [lane, isForced ? 1 : 0, ...entries], (answer) => {
            reply = answer;
          });
        },
      });
      // Where the answer was lost it is asked for again: what is stored by now is known.
      if (Array.isArray(reply)) return laneAnswerOf(reply.map(String));
    }
  }

  /** The delivery was made, or is needless, whichever worker holds it. */
  async settle(id: DeliveryId, how: Settlement): Promise<StepResult> {
    this.made.set(id, true);
    try {
      return resultOf(await this.settlements.settle(id, how));
    } finally {
      this.made.delete(id);
    }
  }

  /** A delivery was made whose parking is under way: `settle` follows where it was stored, `forget` where it was not. */
  noteMade(id: DeliveryId): void {
    this.made.set(id, true);
  }

  forget(id: DeliveryId): void {
    this.made.delete(id);
  }

  /** Whether this process knows that a delivery was made, and Redis does not yet. */
  wasMade(id: DeliveryId): boolean {
    return this.made.has(id);
  }

  /** Puts a delivery back, due after a delay or in its turn; with the record of an attempt that was spent on it. */
  giveBack({ id, token }: Held, delay: number | 'in-line', record?: AttemptRecord): Promise<StepResult> {
    const delayMs = delay === 'in-line' ? IN_LINE : Math.max(0, Math.round(delay));
    return this.step('relayReturn', [id, token, delayMs, ...lineOf(record), '']);
  }

  /** The same for a delivery whose request goes on. */
  giveBackSlow({ id, token }: Held, delayMs: number): Promise<StepResult> {
    const delay = Math.max(0, Math.round(delayMs));
    return this.step('relayReturn', [id, token, delay, ...lineOf(undefined), this.parts.worker]);
  }

  bury({ id, token }: Held, reason: DeadReason, record?: AttemptRecord): Promise<StepResult> {
    return this.step('relayBury', [id, token, reason, ...lineOf(record)]);
  }

  /** A slow attempt failed whose delivery was stored, or put back, meanwhile. */
  failedLate({ id, decision, record, timesTaken }: LateFailure): Promise<StepResult> {
    return this.step('relayLate', [id, ...placeOf(decision), ...lineOf(record), timesTaken]);
  }

  private async step(
    script: 'relayReturn' | 'relayBury' | 'relayLate',
    args: readonly (string | number)[],
  ): Promise<StepResult> {
    let reply: unknown;
    await this.parts.commit.commit({
      bytes: STEP_BYTES,
      prepare: () =>
        this.parts.store.step(script, args, (answer) => {
          reply = answer;
        }),
    });
    return resultOf(reply);
  }
}

/** What `relayPark` and `relayAppend` store of a delivery. */
function entryOf({
  id,
  data,
  decision,
  charge,
}: Omit<NewDelivery, 'id'> & { readonly id: string }): (string | number)[] {
  const { parkedBy, deadBy, maxParkedBytes } = charge;
  const place = placeOf(decision);
  const event = data.e || 'malformed';
  return [id, data.d, event, JSON.stringify(data), ...place, parkedBy, deadBy, maxParkedBytes, data.a ?? ''];
}

function laneAnswerOf(reply: readonly string[]): LaneAnswer {
  const gap = reply.at(-1) ?? '';
  const stored = reply.slice(0, -1).filter((answer) => answer !== 'direct');
  return { stored: stored.map(resultOf), gap: gap === '' ? undefined : (gap as DeliveryId) };
}

/** Stands for a delay. */
const IN_LINE = -1;

/** What `relayPark` takes of a delivery, in its order. Only what is under way has a worker. */
export function parkArguments(
  delivery: Omit<NewDelivery, 'id'> & { readonly id: string },
  worker = '',
): readonly (string | number)[] {
  const { lane = '', laneGap = '', supersedable, isSlow = false } = delivery;
  return [...entryOf(delivery), lane, laneGap, supersedeText(supersedable), isSlow ? worker : ''];
}

function placeOf(decision: Decision | InLine): [delayMs: number, reason: DeadReason | ''] {
  if (decision.kind === 'in-line') return [IN_LINE, ''];
  return decision.kind === 'retry' ? [Math.max(0, Math.round(decision.delayMs)), ''] : [0, decision.reason];
}

function lineOf(record: AttemptRecord | undefined): [line: string, limit: number] {
  return [record === undefined ? '' : historyLine(record), HISTORY_LIMIT];
}

function resultOf(reply: unknown): StepResult {
  const [word, rest] = String(reply).split(' ', 2);
  const kind = PLAIN.find((name) => name === word);
  if (kind === 'parked' && rest === 'newer') return { kind, newer: true };
  if (kind !== undefined) return { kind };
  const reason = DEAD_REASONS.find((name) => name === rest);
  return word === 'dead' && reason !== undefined ? { kind: 'dead', reason } : { kind: 'unanswered' };
}
