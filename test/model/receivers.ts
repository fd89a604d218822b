import type {
  AbortReason,
  Delivery,
  DeliveryId,
  Destination,
  DestinationId,
  Outcome,
  RunningAttempt,
} from '../../src/pipeline/delivery';
import type { Limits } from '../../src/pipeline/destination-limits';
import type { Share } from '../../src/pipeline/places';
import type { Gauge } from './gauge';
import type { Process } from './process';
import type { VirtualTime } from './virtual-time';

/** How a receiver answers a request. `slow-200` is in time, `late-200` is not: it confirms what was given up. */
export const ANSWERS = ['200', '500', '422', '410', 'reset', 'hang', 'slow-200', 'late-200'] as const;
/** The same, and an attempt that a fault of our own ends: it is made again, and spends none. */
export const CHAT_ANSWERS = [...ANSWERS, 'fault'] as const;
export type Answer = (typeof CHAT_ANSWERS)[number];

/** The chats of the instance whose events keep their order. One of them is never sick. */
export const CHATS = ['sore', 'fine'] as const;
export type Chat = (typeof CHATS)[number];

/** Whole attempt, as the model's destinations have it. */
export const TIMEOUT_MS = 1000;
const MAX_ATTEMPTS = 5;

const ANSWERED: Readonly<
  Record<Exclude<Answer, 'hang'>, { readonly afterMs: number; readonly outcome: Outcome }>
> = {
  '200': { afterMs: 2, outcome: { kind: 'delivered', status: 200 } },
  'slow-200': { afterMs: 500, outcome: { kind: 'delivered', status: 200 } },
  'late-200': { afterMs: 1600, outcome: { kind: 'delivered', status: 200 } },
  '500': { afterMs: 2, outcome: { kind: 'failed', code: 'HTTP_500', status: 500 } },
  '422': { afterMs: 2, outcome: { kind: 'rejected', code: 'HTTP_422', status: 422 } },
  '410': { afterMs: 2, outcome: { kind: 'failed', code: 'HTTP_410', status: 410, gone: true } },
  fault: { afterMs: 2, outcome: { kind: 'interrupted', code: 'FAULT', retryAfterMs: 700 } },
  reset: { afterMs: 1, outcome: { kind: 'failed', code: 'ECONNRESET' } },
};

/** A receiver somewhere in the network: it counts what it confirmed, whatever becomes of its answers. */
export class Receiver {
  /** How it answers once `next` is used up. */
  usual: Answer = '200';
  next: Answer[] = [];
  /** The same for events of one chat, which come before. */
  readonly sore: { usual: Answer | undefined; next: Answer[] } = { usual: undefined, next: [] };
  /** In the order in which they were confirmed first. */
  readonly confirmed = new Map<DeliveryId, number>();
  /** The delivery before it that was given up on, as the one confirmed first was told. */
  readonly gaps = new Map<DeliveryId, DeliveryId>();
  /** When an answer last could make workers leave it alone. */
  sickAt = Number.NEGATIVE_INFINITY;
  /** Deliveries confirmed after they were given up. */
  readonly late = new Set<DeliveryId>();

  constructor(
    readonly id: DestinationId,
    private readonly time: VirtualTime,
  ) {}

  /** Answers, or never does; what was answered counts although the one who asked may be gone. */
  take(delivery: Delivery, answer: (outcome: Outcome) => void): void {
    const { id, laneGap } = delivery;
    const how = this.answerTo(delivery);
    // What hangs ends later.
    if (how !== '200' && how !== 'slow-200' && how !== 'fault') this.sickAt = this.time.now + TIMEOUT_MS;
    if (how === 'hang') return;
    if (how === 'late-200') this.late.add(id);
    const { afterMs, outcome } = ANSWERED[how];
    this.time.wire(afterMs, () => {
      if (outcome.kind === 'delivered') this.confirm(id, laneGap);
      answer(outcome);
    });
  }

  recover(): void {
    this.usual = '200';
    this.next = [];
    Object.assign(this.sore, { usual: undefined, next: [] });
  }

  private answerTo({ envelope: { body } }: Delivery): Answer {
    const { usual, next } = this.sore;
    if ((usual ?? next[0]) !== undefined && body.includes(jidOf('sore'))) {
      const how = next.shift() ?? usual;
      if (how !== undefined) return how;
    }
    return this.next.shift() ?? this.usual;
  }

  private confirm(id: DeliveryId, gap: DeliveryId | undefined): void {
    const before = this.confirmed.get(id) ?? 0;
    this.confirmed.set(id, before + 1);
    if (before === 0 && gap !== undefined) this.gaps.set(id, gap);
  }
}

export function jidOf(chat: Chat): string {
  return `${chat}@s.whatsapp.net`;
}

/** A receiver as one process reaches it. */
export class ModelDestination implements Destination {
  readonly kind = 'webhook';
  readonly maxAttempts = MAX_ATTEMPTS;
  readonly timeoutMs = TIMEOUT_MS;

  constructor(
    private readonly parts: {
      readonly receiver: Receiver;
      readonly process: Process;
      readonly gauge: Gauge;
      readonly time: VirtualTime;
      readonly limits: Limits;
      readonly shares: readonly Share[];
      readonly onStart: (id: DestinationId) => void;
    },
  ) {}

  get shares(): readonly Share[] {
    return this.parts.shares;
  }

  get limits(): Limits {
    return this.parts.limits;
  }

  get id(): DestinationId {
    return this.parts.receiver.id;
  }

  start(delivery: Delivery): RunningAttempt {
    const { receiver, process, gauge, time } = this.parts;
    const { length } = delivery.envelope.body;
    this.parts.onStart(receiver.id);
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
