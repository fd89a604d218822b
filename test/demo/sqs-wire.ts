import { randomUUID } from 'node:crypto';
import { asText } from '../support/harness/sqs-broker';
import { REGION, SqsAdmin } from '../support/harness/sqs-harness';
import type { PrivateSqs } from '../support/servers/sqs-service';
import type { DemoEvent } from './events';
import type { Outlet, Wire } from './wire';

const CREDENTIALS = { SQS_ACCESS_KEY_ID: 'demo', SQS_SECRET_ACCESS_KEY: 'demo' };
/** Every so many events go by way of S3, as those do that are too large for SQS. */
const CLAIM_EVERY = 20;
const SERVER = 'evolution';

/**
 * The core API's global queues, all events in one FIFO queue (docs/core-api.md#other-transports): one for each relay, as a queue has one
 * reader. SQS and S3 are an emulator's, over their real protocols.
 */
export class SqsWire implements Wire {
  readonly title = 'SQS';

  constructor(private readonly service: PrivateSqs) {}

  get address(): string {
    return `SQS, S3   ${this.service.endpoint}  queues relay-demo-…_singlequeue.fifo`;
  }

  get more(): string {
    return `AWS_ENDPOINT_URL=${this.service.endpoint} aws sqs send-message --queue-url … --message-body …`;
  }

  /** In the characters that the emulator takes. */
  carry({ data, body, ...event }: DemoEvent): DemoEvent {
    return { ...event, data: Buffer.from(asText(data)), body: Buffer.from(asText(body)) };
  }

  environmentFor(relay: string): Readonly<Record<string, string>> {
    return {
      SQS_ENABLED: 'true',
      SQS_REGION: REGION,
      SQS_ENDPOINT: this.service.endpoint,
      ...CREDENTIALS,
      SQS_GLOBAL_ENABLED: 'true',
      SQS_GLOBAL_FORCE_SINGLE_QUEUE: 'true',
      SQS_GLOBAL_PREFIX_NAME: relay,
      SQS_WAIT_SECONDS: '1',
      S3_ENDPOINT: this.service.endpoint,
    };
  }

  async prepare(relays: readonly string[]): Promise<void> {
    const admin = new SqsAdmin(this.service.endpoint);
    for (const relay of relays) {
      this.urls.push(
        await admin.createQueue(`${relay}_singlequeue.fifo`, { ContentBasedDeduplication: 'true' }),
      );
    }
    admin.close();
  }

  async open(): Promise<Outlet> {
    const bucket = `${this.service.endpoint}/evolution-${randomUUID()}`;
    await put(bucket, '');
    return new SqsOutlet(new SqsAdmin(this.service.endpoint), this.urls, bucket);
  }

  /** They go with the emulator. */
  async remove(): Promise<void> {}

  private readonly urls: string[] = [];
}

class SqsOutlet implements Outlet {
  private readonly underWay = new Set<Promise<void>>();
  /** By message group: sent one after the other, so that the group keeps its order. */
  private readonly last = new Map<string, Promise<void>>();

  constructor(
    private readonly admin: SqsAdmin,
    private readonly queues: readonly string[],
    private readonly bucket: string,
  ) {}

  publish(event: DemoEvent, number: number, onTaken: () => void): void {
    const group = `${SERVER}-${event.event.replace('.', '_')}-${event.instance}`;
    const before = this.last.get(group) ?? Promise.resolve();
    const taken = before.then(() => this.send(event, number, group)).then(onTaken);
    this.last.set(group, taken);
    const sent = taken.finally(() => this.underWay.delete(sent));
    this.underWay.add(sent);
  }

  async taken(): Promise<void> {
    await Promise.all(this.underWay);
  }

  async close(): Promise<void> {
    this.admin.close();
  }

  private async send({ body }: DemoEvent, number: number, group: string): Promise<void> {
    const text = number % CLAIM_EVERY === 0 ? await this.claim(body, number) : body.toString();
    await Promise.all(this.queues.map((url) => this.admin.send(url, text, group)));
  }

  /** The whole event in a file, and its link in the queue. */
  private async claim(body: Buffer, number: number): Promise<string> {
    const file = `${this.bucket}/evolution-api/messages/${number}.json`;
    await put(file, body.toString());
    const { data: _whole, ...event } = JSON.parse(body.toString()) as { data: unknown };
    return JSON.stringify({ ...event, dataType: 's3', data: { fileUrl: `${file}?X-Amz-Expires=604800` } });
  }
}

async function put(url: string, body: string): Promise<void> {
  const { ok, status } = await fetch(url, { method: 'PUT', body, headers: { connection: 'close' } });
  if (!ok) throw new Error(`S3 answers ${status}`);
}
