import { setTimeout as delay } from 'node:timers/promises';
import type { OutgoingEvent } from '../clients/publisher';
import type { Environment } from '../processes/relay';
import { SqsProxy } from '../proxies/sqs-proxy';
import type { PrivateSqs } from '../servers/sqs-service';
import type { ScenarioBroker } from './rabbit-broker';
import { REGION, SqsAdmin } from './sqs-harness';

const BATCH = 10;

export interface SqsBrokerOptions {
  /** `.fifo` makes a FIFO queue. */
  readonly suffix?: '' | '.fifo';
  /** The message group of an event; without one each is in a group of its own. */
  readonly groupOf?: (key: string) => string;
}

/** A queue of a scenario's own; workers reach it by way of a proxy, the test goes to it directly. */
export class SqsBroker implements ScenarioBroker {
  readonly env: Environment;
  private closed = false;

  private constructor(
    readonly proxy: SqsProxy,
    readonly admin: SqsAdmin,
    readonly queueUrl: string,
    private readonly options: SqsBrokerOptions,
  ) {
    this.env = {
      SQS_ENABLED: 'true',
      SQS_ACCESS_KEY_ID: 'test',
      SQS_SECRET_ACCESS_KEY: 'test',
      SQS_REGION: REGION,
      SQS_ENDPOINT: proxy.endpoint,
      SQS_QUEUE_URLS: queueUrl,
      SQS_WAIT_SECONDS: '1',
      SQS_VISIBILITY_SECONDS: '5',
    };
  }

  static async open(service: PrivateSqs, name: string, options: SqsBrokerOptions = {}): Promise<SqsBroker> {
    const proxy = await SqsProxy.start(service.endpoint);
    const admin = new SqsAdmin(service.endpoint);
    const queueUrl = await admin.createQueue(`${name}_messages_upsert${options.suffix ?? ''}`);
    return new SqsBroker(proxy, admin, queueUrl, options);
  }

  async publish(events: readonly OutgoingEvent[], perSecond = Number.POSITIVE_INFINITY): Promise<void> {
    const startedAt = Date.now();
    for (let sent = 0; sent < events.length && !this.closed; ) {
      const batch = events.slice(sent, sent + BATCH);
      await this.admin.sendAll(
        this.queueUrl,
        batch.map((event) => ({ body: asText(event.body()), group: this.options.groupOf?.(event.key) })),
      );
      sent += batch.length;
      const dueAt = startedAt + (sent / perSecond) * 1000;
      if (dueAt > Date.now()) await delay(dueAt - Date.now());
    }
  }

  async queueLength(): Promise<number> {
    return (await this.admin.counts(this.queueUrl)).visible;
  }

  /** Messages, held or not. */
  async left(): Promise<number> {
    const { visible, inFlight } = await this.admin.counts(this.queueUrl);
    return visible + inFlight;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.admin.deleteQueue(this.queueUrl);
    this.admin.close();
    await this.proxy.goOffline();
  }
}

/** JSON in characters that the emulator takes: SQS itself also takes those beyond the first plane. */
export function asText(body: Buffer): string {
  return body
    .toString()
    .replaceAll(/[\ud800-\udfff]/g, (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
