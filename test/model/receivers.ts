import type {
  AbortReason,
  Delivery,
  DeliveryId,
  Destination,
  DestinationId,
  Outcome,
  RunningAttempt,
} from '../../src/pipeline/delivery';
import type { Gauge } from './gauge';
import type { Process } from './process';
import type { VirtualTime } from './virtual-time';

/** How a receiver answers a request. `slow-200` is in time, `late-200` is not: it confirms what was given up. */
export const ANSWERS = ['200', '500', '410', 'reset', 'hang', 'slow-200', 'late-200'] as const;
export type Answer = (typeof ANSWERS)[number];

/** Whole attempt, as the model's destinations have it. */
export const TIMEOUT_MS = 1000;
export const MAX_ATTEMPTS = 5;

const ANSWERED: Readonly<
  Record<Exclude<Answer, 'hang'>, { readonly afterMs: number; readonly outcome: Outcome }>
> = {
  '200': { afterMs: 2, outcome: { kind: 'delivered', status: 200 } },
  'slow-200': { afterMs: 500, outcome: { kind: 'delivered', status: 200 } },
  'late-200': { afterMs: 1600, outcome: { kind: 'delivered', status: 200 } },
  '500': { afterMs: 2, outcome: { kind: 'failed', code: 'HTTP_500', status: 500 } },
  '410': { afterMs: 2, outcome: { kind: 'rejected', code: 'HTTP_410', status: 410 } },
  reset: { afterMs: 1, outcome: { kind: 'failed', code: 'ECONNRESET' } },
};

/** A receiver somewhere in the network: it counts what it confirmed, whatever becomes of its answers. */
export class Receiver {
  /** How it answers once `next` is used up. */
  usual: Answer = '200';
  next: Answer[] = [];
  readonly confirmed = new Map<DeliveryId, number>();
  /** Deliveries confirmed after they were given up. */
  readonly late = new Set<DeliveryId>();

  constructor(
    readonly id: DestinationId,
    private readonly time: VirtualTime,
  ) {}

  /** Answers, or never does; what was answered counts although the one who asked may be gone. */
  take({ id }: Delivery, answer: (outcome: Outcome) => void): void {
    const how = this.next.shift() ?? this.usual;
    if (how === 'hang') return;
    if (how === 'late-200') this.late.add(id);
    const { afterMs, outcome } = ANSWERED[how];
    this.time.wire(afterMs, () => {
      if (outcome.kind === 'delivered') this.confirmed.set(id, (this.confirmed.get(id) ?? 0) + 1);
      answer(outcome);
    });
  }

  recover(): void {
    this.usual = '200';
    this.next = [];
  }
}

/** A receiver as one process reaches it. */
export class ModelDestination implements Destination {
  readonly kind = 'webhook';
  readonly maxAttempts = MAX_ATTEMPTS;
  readonly timeoutMs = TIMEOUT_MS;
  readonly shares = [];

  constructor(
    private readonly parts: {
      readonly receiver: Receiver;
      readonly process: Process;
      readonly gauge: Gauge;
      readonly time: VirtualTime;
    },
  ) {}

  get id(): DestinationId {
    return this.parts.receiver.id;
  }

  start(delivery: Delivery): RunningAttempt {
    const { receiver, process, gauge, time } = this.parts;
    const { length } = delivery.envelope.body;
    gauge.enter(receiver.id, length);
    let resolve: (outcome: Outcome) => void = () => {};
    const outcome = new Promise<Outcome>((settle) => {
      resolve = settle;
    });
    let ended = false;
    const end = (result: Outcome): void => {
      if (ended) return;
      ended = true;
      gauge.leave(receiver.id, length);
      resolve(result);
    };
    // A process that dies meanwhile has sent nothing.
    time.wire(1, () => {
      if (process.state !== 'dead') receiver.take(delivery, (answer) => process.reach(() => end(answer)));
    });
    return { outcome, abort: (reason) => end(cutShort(reason)) };
  }

  async close(): Promise<void> {}
}

function cutShort(reason: AbortReason): Outcome {
  return reason === 'timeout'
    ? { kind: 'failed', code: 'TIMEOUT' }
    : { kind: 'interrupted', code: 'SHUTDOWN' };
}
