import { setMaxListeners } from 'node:events';
import type { ReceiveMessageCommand, SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';

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

/** What a batch takes at most, whatever it does. */
export const BATCH = 10;

/** What the relay asks of SQS, with the SDK's shapes taken off. Results of batches stand in the order of what was sent. */
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
  /** Every page of the queues whose names begin so. */
  list(prefix: string): Promise<string[]>;
  attributes(queueUrl: string): Promise<QueueAttributes>;
  close(): void;
}

const CONNECT_MS = 5000;
/** A long poll waits for up to 20 seconds. */
const REQUEST_MS = 30_000;
/** Polls, deletes and extensions side by side. */
const SOCKETS = 128;
const PAGE = 1000;

/** Loads the SDK, which takes its time and memory: only a worker that consumes from SQS pays for it. */
export async function connectSqs(connection: SqsConnection): Promise<SqsApi> {
  const sdk = await import('@aws-sdk/client-sqs');
  const client = new sdk.SQSClient(clientConfig(connection));
  // It copies all messages for a logger that there is not.
  client.middlewareStack.remove('loggerMiddleware');
  return new SdkSqsApi(client, sdk);
}

function clientConfig({ region, endpoint, credentials }: SqsConnection): SQSClientConfig {
  return {
    ...(region === undefined ? {} : { region }),
    // Throttling and clock skew are the SDK's business: it waits and tries again, and corrects its clock.
    maxAttempts: 3,
    // What TLS has checked already.
    md5: false,
    // Otherwise the SDK puts its layers together anew for each call, at a tenth of what the call costs. Calls side by
    // side then share a context: of what differs between them, they read there only what they have just written.
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      httpAgent: { keepAlive: true, maxSockets: SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
    },
    // A copy: the SDK writes into it.
    ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
    // The host in a queue's URL is the public one, which an endpoint of one's own is to be used instead of.
    ...(endpoint === undefined ? {} : { endpoint, useQueueUrlAsEndpoint: false }),
  };
}

type ReceiveHandler = ReturnType<ReceiveMessageCommand['resolveMiddleware']>;

class SdkSqsApi implements SqsApi {
  private readonly receiving = new AbortController();
  private sendReceive: ReceiveHandler | undefined;

  constructor(
    private readonly client: SQSClient,
    private readonly sdk: typeof import('@aws-sdk/client-sqs'),
  ) {
    setMaxListeners(0, this.receiving.signal);
  }

  async receive(queueUrl: string, options: ReceiveOptions): Promise<ReceivedMessage[]> {
    const command = new this.sdk.ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: options.max,
      WaitTimeSeconds: options.waitSeconds,
      VisibilityTimeout: options.visibilitySeconds,
      MessageSystemAttributeNames: ['MessageGroupId', 'SentTimestamp', 'ApproximateReceiveCount'],
    });
    // As `client.send` does, which keeps no layers of calls that have a signal.
    this.sendReceive ??= command.resolveMiddleware(this.client.middlewareStack, this.client.config, {
      abortSignal: this.receiving.signal,
    });
    const { output } = await this.sendReceive(command);
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
    const { Failed } = await this.client.send(
      new this.sdk.DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
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
    const { Failed } = await this.client.send(
      new this.sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }),
    );
    return failuresOf(Failed, handles.length);
  }

  async list(prefix: string): Promise<string[]> {
    const urls: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await this.client.send(
        new this.sdk.ListQueuesCommand({
          MaxResults: PAGE,
          ...(prefix === '' ? {} : { QueueNamePrefix: prefix }),
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      );
      urls.push(...(page.QueueUrls ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return urls;
  }

  async attributes(queueUrl: string): Promise<QueueAttributes> {
    const { Attributes = {} } = await this.client.send(
      new this.sdk.GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
          'RedrivePolicy',
        ],
      }),
    );
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
      hasDeadLetterQueue: Attributes.RedrivePolicy !== undefined,
    };
  }

  close(): void {
    this.client.destroy();
  }
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
