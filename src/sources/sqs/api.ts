export interface SqsConnection {
  /** Undefined: as the SDK finds it. */
  readonly region: string | undefined;
  /** VPC endpoint or emulator; undefined: AWS's own. */
  readonly endpoint: string | undefined;
  /** Undefined: the SDK's default chain (roles, profiles, the environment). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

export interface ReceivedMessage {
  readonly id: string;
  /** Good for this one receipt only. */
  readonly handle: string;
  readonly body: string;
  /** Of FIFO queues. */
  readonly group: string | undefined;
  readonly sentAt: number | undefined;
  readonly receiveCount: number;
}

export interface ReceiveOptions {
  readonly max: number;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
}

/** One entry of a batch that the service refused. */
export interface EntryFailure {
  readonly code: string;
  /** It is refused however often it is sent: the receipt handle is too old. */
  readonly isFinal: boolean;
}

export interface QueueAttributes {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  readonly hasDeadLetterQueue: boolean;
}

/** The most entries of a batch, whatever it does. */
export const BATCH = 10;

/**
 * What the relay asks of SQS, with the SDK's shapes taken off. Results of batches stand in the order of what was sent.
 * Each call ends within a limit of its own: where the service says nothing, it rejects with SqsSilentError.
 */
export interface SqsApi {
  receive(queueUrl: string, options: ReceiveOptions): Promise<ReceivedMessage[]>;
  /** What is being received, and everything after it, rejects. */
  abandonReceiving(): void;
  remove(queueUrl: string, handles: readonly string[]): Promise<(EntryFailure | undefined)[]>;
  setVisibility(
    queueUrl: string,
    handles: readonly string[],
    seconds: number,
  ): Promise<(EntryFailure | undefined)[]>;
  /** URLs of the queues whose names begin so, page by page: an account may have more than memory should hold. */
  list(prefix: string): AsyncIterable<readonly string[]>;
  attributes(queueUrl: string): Promise<QueueAttributes>;
  /** Calls under way, and everything after, reject. */
  close(): void;
}

export type SqsAction = 'receive' | 'remove' | 'setVisibility' | 'list' | 'attributes';

/** Hears how each call ended, in one place for all callers. Must not throw. */
export interface CallObserver {
  /** @param subject the queue's URL, or the prefix of a list */
  answered(action: SqsAction, subject: string): void;
  /** @param begunAt when the call was begun, by the monotonic clock */
  failed(action: SqsAction, subject: string, error: unknown, begunAt: number): void;
}

export const NO_OBSERVER: CallObserver = { answered: () => {}, failed: () => {} };
