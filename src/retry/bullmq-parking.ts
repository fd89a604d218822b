import { Job } from 'bullmq';
import type { MalformedEventError } from '../errors';
import type { Origin } from '../events/envelope';
import {
  type AttemptRecord,
  type Delivery,
  type DeliveryId,
  destinationKeyOf,
  type ParkReason,
} from '../pipeline/delivery';
import type { Decide, Parking, ParkRequest, Ticket } from '../pipeline/parking';
import type { GroupCommit } from './group-commit';
import { HISTORY_LIMIT, historyLine, type JobData, jobDataOf, malformedJobData } from './job';
import { malformedId } from './malformed';
import type { RetryStore, Step } from './retry-store';

export interface ParkingObserver {
  parked(delivery: Delivery, reason: ParkReason): void;
}

export interface ParkingParts {
  readonly store: RetryStore;
  readonly commit: GroupCommit;
  readonly decide: Decide;
  readonly observer: ParkingObserver;
}

/**
 * BullMQ must never decide by itself that attempts are used up: the policy does (retry/policy.ts), and the number
 * may change while a job lies here.
 */
const BULLMQ_ATTEMPTS = 1_000_000;

/** Stores deliveries as BullMQ jobs, in one transaction with the audit's counters. */
export class BullMqParking implements Parking {
  constructor(private readonly parts: ParkingParts) {}

  park(request: ParkRequest): Ticket {
    let withdrawn = false;
    const settled = this.store(request, () => withdrawn);
    return {
      settled,
      withdraw: () => {
        withdrawn = true;
      },
    };
  }

  async delivered({ id }: Delivery): Promise<void> {
    await settleStored(this.parts.store, this.parts.commit, id, 'delivered');
  }

  async failed(delivery: Delivery, record: AttemptRecord): Promise<void> {
    const job = await this.parts.store.queue.getJob(delivery.id);
    if (job === undefined) return;
    await job.log(historyLine(record));
    const decision = this.parts.decide(delivery, record);
    if (decision.kind === 'give-up') await job.updateData({ ...job.data, x: decision.reason });
    await job.changeDelay(decision.kind === 'retry' ? decision.delayMs : 0);
  }

  /** Stores a body that can never be an event as a dead letter, once however often it comes. */
  async buryMalformed(body: Buffer, origin: Origin, error: MalformedEventError): Promise<void> {
    const id = malformedId(body);
    await this.parts.commit.commit({
      bytes: body.length,
      prepare: async () =>
        this.addition(id, await malformedJobData(body, origin, error.code), { lifo: true }),
    });
  }

  private async store(request: ParkRequest, isWithdrawn: () => boolean): Promise<'stored' | 'withdrawn'> {
    const { delivery, decision, reason } = request;
    const options = decision.kind === 'retry' ? { delay: decision.delayMs } : { lifo: true };
    const how = await this.parts.commit.commit({
      bytes: delivery.envelope.body.length,
      isWithdrawn,
      prepare: async () => this.addition(delivery.id, await jobDataOf(request), options),
    });
    if (how === 'stored') this.parts.observer.parked(delivery, reason);
    return how;
  }

  /** Counts the delivery as accepted and adds its job; neither where the job is there already. */
  private addition(
    id: DeliveryId,
    data: JobData,
    options: { readonly delay?: number; readonly lifo?: boolean },
  ): Step {
    const { store } = this.parts;
    const jobOptions = {
      ...options,
      attempts: BULLMQ_ATTEMPTS,
      backoff: { type: 'relay' },
      stackTraceLimit: 0,
      keepLogs: HISTORY_LIMIT,
    };
    return {
      accepts: { id, destination: data.d },
      apply: (transaction) => {
        void new Job<JobData>(store.queue, data.e || 'malformed', data, jobOptions, id).addJob(transaction);
      },
    };
  }
}

/** Counts a stored delivery as done with, once, and removes its job where no worker holds it. */
export function settleStored(
  store: RetryStore,
  commit: GroupCommit,
  id: DeliveryId,
  how: 'delivered' | 'discarded',
): Promise<unknown> {
  const keys = [store.key('audit'), store.jobKey(id), store.queue.toKey('delayed')];
  const args = [...keys, destinationKeyOf(id), id, how];
  return commit.commit({
    bytes: 300,
    prepare: () => ({
      apply: (transaction) => {
        transaction.runCommand('relaySettle', args);
      },
    }),
  });
}
