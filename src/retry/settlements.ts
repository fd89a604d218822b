import type { DeliveryId } from '../pipeline/delivery';
import type { GroupCommit } from './group-commit';
import type { Step, StoredCalls } from './retry-store';

/** Why a delivery is over. */
export type Settlement = 'delivered' | 'discarded';

interface Asked {
  readonly id: DeliveryId;
  readonly how: Settlement;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface SettlementsParts {
  readonly store: Pick<StoredCalls, 'step'>;
  readonly commit: GroupCommit;
}

/** Settled by one call: Redis answers nobody else meanwhile. */
const MOST_AT_ONCE = 64;
/** About what one of them takes. */
const BYTES = 100;
/** What `relaySettle` answers for one of several that it cannot settle. */
const REFUSED = 'refused';

/**
 * Settles stored deliveries: all that are asked for before the next call leaves go with it. Where a call settles one of them, most of
 * its time goes by with being sent and with making the functions of its script, here and at Redis.
 */
export class Settlements {
  private asked: Asked[] = [];

  constructor(private readonly parts: SettlementsParts) {}

  /** Resolves to what `relaySettle` answers, undefined where the answer was lost. Rejects when the store was closed. */
  settle(id: DeliveryId, how: Settlement): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.asked.push({ id, how, resolve, reject });
      if (this.asked.length === 1) void this.send();
    });
  }

  private async send(): Promise<void> {
    let together: readonly Asked[] = [];
    let answer: unknown;
    const prepare = (): Step => {
      // Nobody else knows of them any more: prepared once more, it is the same call.
      if (together.length === 0) {
        together = this.asked.splice(0, MOST_AT_ONCE);
        if (this.asked.length > 0) void this.send();
      }
      return this.stepOf(together, (reply) => {
        answer = reply;
      });
    };
    try {
      await this.parts.commit.commit({ bytes: MOST_AT_ONCE * BYTES, prepare });
    } catch (error) {
      // Where it was not prepared by then it never is.
      for (const { reject } of [...together, ...this.asked.splice(0)]) reject(error);
      return;
    }
    // Where the answer was lost none was refused (delivery-scripts.ts). None is settled again: a replay may have stored a copy since.
    const answers: readonly unknown[] = Array.isArray(answer) ? answer : together.map(() => answer);
    for (const [index, each] of together.entries()) {
      if (answers[index] === REFUSED) void this.sendAlone(each);
      else each.resolve(answers[index]);
    }
  }

  /** What Redis refuses of one delivery keeps no other one from being settled; alone it is tried until it is mended. */
  private async sendAlone(each: Asked): Promise<void> {
    let answer: unknown;
    const prepare = (): Step =>
      this.stepOf([each], (reply) => {
        answer = reply;
      });
    try {
      await this.parts.commit.commit({ bytes: BYTES, prepare });
      each.resolve(answer);
    } catch (error) {
      each.reject(error);
    }
  }

  private stepOf(together: readonly Asked[], reply: (reply: unknown) => void): Step {
    const pairs = together.flatMap(({ id, how }) => [id, how]);
    return this.parts.store.step('relaySettle', pairs, reply);
  }
}
