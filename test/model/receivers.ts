import type {
  AbortReason,
  Delivery,
  DeliveryId,
  Destination,
  DestinationId,
  Outcome,
  RunningAttempt,
} from '../../src/pipeline/delivery';
import type { Process } from './process';

/** How a receiver answers the next request. */
export type Answer = '200' | '500' | 'hang' | 'reset' | 'late-200';

const OUTCOMES: Readonly<Record<Exclude<Answer, 'hang'>, Outcome>> = {
  '200': { kind: 'delivered', status: 200 },
  'late-200': { kind: 'delivered', status: 200 },
  '500': { kind: 'failed', code: 'HTTP_500', status: 500 },
  reset: { kind: 'failed', code: 'ECONNRESET' },
};
const QUICK_MS = 2;
const LATE_MS = 300;
const RESET_MS = 1;

/** A receiver somewhere in the network: it counts what it confirmed, whatever becomes of its answers. */
export class Receiver {
  /** How it answers once `next` is used up. */
  usual: Answer = '200';
  next: Answer[] = [];
  readonly confirmed = new Map<DeliveryId, number>();
  underWay = 0;
  peak = 0;
  attempts = 0;

  constructor(readonly id: DestinationId) {}

  /** Answers, or never does; what was answered counts although the one who asked may be gone. */
  take(delivery: Delivery, answer: (outcome: Outcome) => void): void {
    this.attempts++;
    this.underWay++;
    this.peak = Math.max(this.peak, this.underWay);
    const how = this.next.shift() ?? this.usual;
    if (how === 'hang') return;
    const delayMs = how === 'late-200' ? LATE_MS : how === 'reset' ? RESET_MS : QUICK_MS;
    setTimeout(() => {
      const outcome = OUTCOMES[how];
      if (outcome.kind === 'delivered')
        this.confirmed.set(delivery.id, (this.confirmed.get(delivery.id) ?? 0) + 1);
      answer(outcome);
    }, delayMs);
  }

  leave(): void {
    this.underWay--;
  }
}

/** A receiver as one process reaches it. */
export class ModelDestination implements Destination {
  readonly kind = 'webhook';
  readonly maxAttempts = 4;
  readonly timeoutMs = 600;

  constructor(
    private readonly receiver: Receiver,
    private readonly process: Process,
    private readonly network: (work: () => void) => void,
  ) {}

  get id(): DestinationId {
    return this.receiver.id;
  }

  start(delivery: Delivery): RunningAttempt {
    const { receiver, process } = this;
    let resolve: (outcome: Outcome) => void = () => {};
    const outcome = new Promise<Outcome>((settle) => {
      resolve = settle;
    });
    let ended = false;
    const end = (result: Outcome): void => {
      if (ended) return;
      ended = true;
      receiver.leave();
      resolve(result);
    };
    this.network(() => receiver.take(delivery, (answer) => process.reach(() => end(answer))));
    return {
      outcome,
      abort: (reason: AbortReason) =>
        end(
          reason === 'timeout'
            ? { kind: 'failed', code: 'TIMEOUT' }
            : { kind: 'interrupted', code: 'SHUTDOWN' },
        ),
    };
  }

  async close(): Promise<void> {}
}
