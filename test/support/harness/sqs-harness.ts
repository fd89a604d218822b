import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Fields, Logger } from '../../../src/observability/logging';
import { SqsSource, type SqsSourceOptions } from '../../../src/sources/sqs/sqs-source';
import { SqsProxy } from '../proxies/sqs-proxy';
import type { PrivateSqs } from '../servers/sqs-service';
import { Happenings } from '../signals/signals';
import type { SourceLimits } from './rabbit-harness';

/** What the emulator takes; it checks no signature. */
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
export const REGION = 'us-east-1';

/** What a test does to SQS beside the relay. */
export class SqsAdmin {
  private readonly client: SQSClient;

  constructor(readonly endpoint: string) {
    this.client = new SQSClient({
      region: REGION,
      endpoint,
      credentials: CREDENTIALS,
      useQueueUrlAsEndpoint: false,
    });
  }

  async createQueue(name: string, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
    const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
    const { QueueUrl } = await this.client.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { ...fifo, ...attributes } }),
    );
    return String(QueueUrl);
  }

  async deleteQueue(url: string): Promise<void> {
    await this.client.send(new DeleteQueueCommand({ QueueUrl: url }));
  }

  /** As the core API does, without attributes (docs/core-api.md#other-transports). */
  async send(url: string, body: string, group: string = randomUUID()): Promise<void> {
    const fifo = url.endsWith('.fifo') ? { MessageGroupId: group, MessageDeduplicationId: randomUUID() } : {};
    await this.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, ...fifo }));
  }

  /** Up to ten at once. */
  async sendAll(
    url: string,
    messages: readonly { readonly body: string; readonly group?: string | undefined }[],
  ): Promise<void> {
    const Entries = messages.map(({ body, group = randomUUID() }, index) => ({
      Id: String(index),
      MessageBody: body,
      ...(url.endsWith('.fifo') ? { MessageGroupId: group, MessageDeduplicationId: randomUUID() } : {}),
    }));
    const { Failed = [] } = await this.client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    if (Failed.length > 0) throw new Error(`SQS does not take messages: ${JSON.stringify(Failed[0])}`);
  }

  async counts(url: string): Promise<{ readonly visible: number; readonly inFlight: number }> {
    const { Attributes } = await this.client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
    );
    return {
      visible: Number(Attributes?.ApproximateNumberOfMessages),
      inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
    };
  }

  close(): void {
    this.client.destroy();
  }
}

/** One queue of its own, and sources that reach SQS by way of a proxy. */
export class SqsHarness {
  readonly logged = new Happenings<readonly [message: string, fields: Fields | undefined]>();
  private readonly sources: SqsSource[] = [];

  private constructor(
    readonly proxy: SqsProxy,
    readonly admin: SqsAdmin,
    readonly prefix: string,
    readonly queueUrl: string,
  ) {}

  static async open(service: PrivateSqs, suffix: '' | '.fifo' = ''): Promise<SqsHarness> {
    const proxy = await SqsProxy.start(service.endpoint);
    const admin = new SqsAdmin(service.endpoint);
    const prefix = `test-${randomUUID().slice(0, 8)}`;
    const queueUrl = await admin.createQueue(`${prefix}_messages_upsert${suffix}`);
    return new SqsHarness(proxy, admin, prefix, queueUrl);
  }

  /** A source that is closed with the harness. */
  create(limits: SourceLimits = {}, others: Partial<SqsSourceOptions> = {}): SqsSource {
    const source = new SqsSource({
      connection: { region: REGION, endpoint: this.proxy.endpoint, credentials: CREDENTIALS },
      queueUrls: [this.queueUrl],
      templates: ['{instance}_{event}', '{instance}_{event}.fifo'],
      global: undefined,
      accountId: '',
      discoveryMs: 60_000,
      maxMessages: limits.maxMessages ?? 250,
      maxBytes: limits.maxBytes ?? 64 * 1024 * 1024,
      waitSeconds: 1,
      visibilitySeconds: 3,
      downloader: undefined,
      log: this.log,
      ...others,
    });
    this.sources.push(source);
    return source;
  }

  publish(body: Buffer | string, group?: string): Promise<void> {
    return this.admin.send(this.queueUrl, body.toString(), group);
  }

  /** Messages that nobody holds. */
  async waiting(): Promise<number> {
    return (await this.admin.counts(this.queueUrl)).visible;
  }

  /** Messages, held or not. */
  async left(): Promise<number> {
    const { visible, inFlight } = await this.admin.counts(this.queueUrl);
    return visible + inFlight;
  }

  async close(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.close()));
    await this.admin.deleteQueue(this.queueUrl);
    this.admin.close();
    await this.proxy.goOffline();
  }

  private get log(): Logger {
    const add = (message: string, fields?: Fields): void => this.logged.add([message, fields]);
    return { error: add, warn: add, info: add, debug: () => {}, isDebug: false };
  }
}
