import type { MalformedEventError } from '../../errors';
import type { Origin } from '../../events/envelope';
import type { Settlement, SourceMessage } from '../../pipeline/message';
import type { ReceivedMessage } from './api';
import { type Claim, claimOf } from './claim-check';
import type { Leased } from './leases';
import type { Grouped } from './message-groups';
import { type ConsumedQueue, isFifo } from './queue-names';

/** A message that was received and is not deleted yet. */
export interface Held extends Leased, Grouped {
  body: Buffer;
  /** Room that it takes. */
  readonly bytes: number;
  /** The file that it stands for. */
  readonly claim: Claim | undefined;
  /** Gives back what was taken for its file; undefined where there is none, or none yet. */
  releaseClaim: (() => void) | undefined;
  flaw?: MalformedEventError;
  readonly origin: Origin;
  readonly sentAt: number | undefined;
  readonly receiveCount: number;
  /** Waits for its turn; its file is fetched; it is handed over; or it is settled and shall be deleted. */
  state: 'waiting' | 'fetching' | 'handed' | 'settled';
}

/** @param claims whether files that bodies refer to are fetched */
export function heldOf(
  queue: ConsumedQueue,
  received: ReceivedMessage,
  { hiddenUntil, claims }: { readonly hiddenUntil: number; readonly claims: boolean },
): Held {
  const { id, handle, group, sentAt, receiveCount } = received;
  const body = Buffer.from(received.body);
  return {
    id,
    handle,
    queueUrl: queue.url,
    group: isFifo(queue.url) && group !== undefined ? `${queue.url} ${group}` : undefined,
    hiddenUntil,
    body,
    bytes: body.length,
    claim: claims ? claimOf(body) : undefined,
    releaseClaim: undefined,
    origin: queue.origin,
    sentAt,
    receiveCount,
    state: 'waiting',
  };
}

/** What the source hands over. */
export class SqsMessage implements SourceMessage {
  readonly body: Buffer;
  readonly origin: Origin;
  readonly messageId: string | undefined;
  readonly publishedAt: number | undefined;
  readonly redelivered: boolean;
  /** Received again, it is the same message to the inbox, with another receipt: settling it always has an effect. */
  readonly isLost = false;
  readonly flaw?: MalformedEventError;

  constructor(
    message: Held,
    readonly settle: (settlement: Settlement) => void,
  ) {
    this.body = message.body;
    this.origin = message.origin;
    this.messageId = message.id || undefined;
    this.publishedAt = message.sentAt;
    this.redelivered = message.receiveCount > 1;
    if (message.flaw !== undefined) this.flaw = message.flaw;
  }
}
