import { setMaxListeners } from 'node:events';
import type { ReceiveMessageCommand, SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import { monotonicMs } from '../../time/monotonic';
import { within } from '../../time/within';
import {
  type CallObserver,
  type EntryFailure,
  NO_OBSERVER,
  type QueueAttributes,
  type ReceivedMessage,
  type ReceiveOptions,
  type SqsAction,
  type SqsApi,
  type SqsConnection,
} from './api';
import {
  CALL_LIMITS,
  type CallLimits,
  Connections,
  SqsSilentError,
  SqsUnreadableError,
} from './sqs-connections';
import { troubleOf } from './trouble';

export interface ConnectOptions {
  readonly observer?: CallObserver;
  readonly limits?: CallLimits;
}

const PAGE = 1000;
/**
 * A call as a whole, with what the SDK does before (fetching credentials) and again (throttling), takes no longer than
 * this many times the limit of one request.
 */
const REQUESTS_PER_CALL = 5;
/** And a poll, which this source repeats by itself, no longer than this after its own wait. */
const POLL_MARGIN_MS = 2000;

/** Loads the SDK, which takes its time and memory: only a worker that consumes from SQS pays for it. */
export async function connectSqs(connection: SqsConnection, options: ConnectOptions = {}): Promise<SqsApi> {
  const sdk = await import('@aws-sdk/client-sqs');
  const { observer = NO_OBSERVER, limits = CALL_LIMITS } = options;
  const connections = new Connections(limits);
  const client = new sdk.SQSClient(clientConfig(connection, connections));
  // It copies all messages for a logger that there is not.
  client.middlewareStack.remove('loggerMiddleware');
  connections.watch(client);
  return new SdkSqsApi({ client, sdk, connections, limits, observer });
}

function clientConfig(
  { region, endpoint, credentials }: SqsConnection,
  connections: Connections,
): SQSClientConfig {
  return {
    ...(region === undefined ? {} : { region }),
    // Throttling and clock skew are the SDK's business: it waits and tries again, and corrects its clock.
    maxAttempts: 3,
    // What TLS has checked already.
    md5: false,
    // Otherwise the SDK puts its layers together anew for each call, at a tenth of what the call costs. Calls side by
    // side then share a context: of what differs between them, they read there only what they have just written.
    cacheMiddleware: true,
    requestHandler: connections.requestHandler,
    // A copy: the SDK writes into it.
    ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
    // The host in a queue's URL is the public one, which an endpoint of one's own is to be used instead of.
    ...(endpoint === undefined ? {} : { endpoint, useQueueUrlAsEndpoint: false }),
  };
}

type ReceiveHandler = ReturnType<ReceiveMessageCommand['resolveMiddleware']>;

interface SdkParts {
  readonly client: SQSClient;
  readonly sdk: typeof import('@aws-sdk/client-sqs');
  readonly connections: Connections;
  readonly limits: CallLimits;
  readonly observer: CallObserver;
}

interface Call {
  readonly action: SqsAction;
  readonly subject: string;
  readonly limitMs: number;
}

class SdkSqsApi implements SqsApi {
  private readonly receiving = new AbortController();
  /** By the seconds that a poll waits: 0 to 20. */
  private readonly receivers = new Map<number, ReceiveHandler>();

  constructor(private readonly parts: SdkParts) {
    setMaxListeners(0, this.receiving.signal);
  }

  async receive(queueUrl: string, options: ReceiveOptions): Promise<ReceivedMessage[]> {
    const command = new this.parts.sdk.ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: options.max,
      WaitTimeSeconds: options.waitSeconds,
      VisibilityTimeout: options.visibilitySeconds,
      MessageSystemAttributeNames: ['MessageGroupId', 'SentTimestamp', 'ApproximateReceiveCount'],
    });
    const answerMs = options.waitSeconds * 1000 + this.parts.limits.answerMs;
    const call: Call = { action: 'receive', subject: queueUrl, limitMs: answerMs + POLL_MARGIN_MS };
    const receive = this.receiverOf(command, options.waitSeconds, answerMs);
    const { output } = await this.limited(call, receive(command));
    const { Messages = [] } = output;
    return Messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }) => ({
      id: MessageId,
      handle: ReceiptHandle,
      body: Body,
      group: Attributes.MessageGroupId,
      sentAt: Attributes.SentTimestamp === undefined ? undefined : Number(Attributes.SentTimestamp),
      receiveCount: Number(Attributes.ApproximateReceiveCount ?? 1),
    }));
  }

  abandonReceiving(): void {
    this.receiving.abort();
  }

  async remove(queueUrl: string, handles: readonly string[]): Promise<(EntryFailure | undefined)[]> {
    const Entries = handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
    const { client, sdk } = this.parts;
    const { Failed } = await this.limited(
      this.callOf('remove', queueUrl),
      client.send(new sdk.DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })),
    );
    return failuresOf(Failed, handles.length);
  }

  async setVisibility(
    queueUrl: string,
    handles: readonly string[],
    seconds: number,
  ): Promise<(EntryFailure | undefined)[]> {
    const Entries = handles.map((ReceiptHandle, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: seconds,
    }));
    const { client, sdk } = this.parts;
    const { Failed } = await this.limited(
      this.callOf('setVisibility', queueUrl),
      client.send(new sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries })),
    );
    return failuresOf(Failed, handles.length);
  }

  async *list(prefix: string): AsyncIterable<readonly string[]> {
    const { client, sdk } = this.parts;
    let NextToken: string | undefined;
    do {
      const command = new sdk.ListQueuesCommand({
        MaxResults: PAGE,
        ...(prefix === '' ? {} : { QueueNamePrefix: prefix }),
        ...(NextToken === undefined ? {} : { NextToken }),
      });
      const page = await this.limited(this.callOf('list', prefix), client.send(command));
      yield page.QueueUrls ?? [];
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
  }

  async attributes(queueUrl: string): Promise<QueueAttributes> {
    const { client, sdk } = this.parts;
    const command = new sdk.GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
        'RedrivePolicy',
      ],
    });
    const { Attributes = {} } = await this.limited(this.callOf('attributes', queueUrl), client.send(command));
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
      hasDeadLetterQueue: Attributes.RedrivePolicy !== undefined,
    };
  }

  close(): void {
    this.receiving.abort();
    this.parts.connections.close();
    this.parts.client.destroy();
  }

  private callOf(action: SqsAction, subject: string): Call {
    return { action, subject, limitMs: this.parts.limits.answerMs * REQUESTS_PER_CALL };
  }

  /** As `client.send` does, which keeps no layers of calls that have a signal or a limit of their own. */
  private receiverOf(
    command: ReceiveMessageCommand,
    waitSeconds: number,
    requestTimeout: number,
  ): ReceiveHandler {
    const known = this.receivers.get(waitSeconds);
    if (known !== undefined) return known;
    const { client } = this.parts;
    const receiver = command.resolveMiddleware(client.middlewareStack, client.config, {
      abortSignal: this.receiving.signal,
      requestTimeout,
    });
    this.receivers.set(waitSeconds, receiver);
    return receiver;
  }

  private async limited<T>({ action, subject, limitMs }: Call, call: Promise<T>): Promise<T> {
    const { observer } = this.parts;
    const begunAt = monotonicMs();
    try {
      const result = await within(call, limitMs, () => new SqsSilentError(limitMs));
      observer.answered(action, subject);
      return result;
    } catch (thrown) {
      const error = readable(thrown);
      observer.failed(action, subject, error, begunAt);
      throw error;
    }
  }
}

/** What the SDK cannot read has a text of the language's own, and no code. A fault of the service stays one. */
function readable(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'SyntaxError' || troubleOf(error) === 'failing')
    return error;
  return new SqsUnreadableError('its answer is no JSON; look at SQS_ENDPOINT, and at proxies on the way');
}

interface FailedEntry {
  readonly Id?: string | undefined;
  readonly Code?: string | undefined;
  readonly SenderFault?: boolean | undefined;
}

function failuresOf(failed: readonly FailedEntry[] = [], count: number): (EntryFailure | undefined)[] {
  const failures = new Array<EntryFailure | undefined>(count).fill(undefined);
  for (const { Id, Code = 'UNKNOWN', SenderFault = false } of failed) {
    failures[Number(Id)] = { code: Code, isFinal: SenderFault };
  }
  return failures;
}
