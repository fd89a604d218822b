import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';

export interface OutgoingEvent {
  readonly key: string;
  readonly routingKey: string;
  /** Made when it is sent: large ones are not all kept in memory. */
  body(): Buffer;
}

const BATCH = 20;
const CONNECT_MS = 90_000;

/**
 * Publishes as the core API does (docs/core-api.md#rabbitmq: no properties at all, routing key = event), but over a
 * confirm channel, so that a test knows what the broker has. What was not confirmed when a connection broke is published
 * again over the next one.
 */
export class Publisher {
  #session: Session | undefined;
  #closed = false;

  constructor(
    private readonly uri: string,
    private readonly exchange: string,
  ) {}

  /** Resolves when the broker has confirmed every event, or nobody waits for that any more. */
  async publish(events: readonly OutgoingEvent[], perSecond = Number.POSITIVE_INFINITY): Promise<void> {
    const startedAt = Date.now();
    const waiting = [...events];
    while (waiting.length > 0 && !this.#closed) {
      const confirmed = await this.#send(waiting.slice(0, BATCH));
      for (const event of confirmed) waiting.splice(waiting.indexOf(event), 1);
      const dueAt = startedAt + ((events.length - waiting.length) / perSecond) * 1000;
      if (dueAt > Date.now()) await delay(dueAt - Date.now());
    }
  }

  /** What `work` does with a channel of its own. */
  async withChannel<T>(work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const session = await this.#connected();
    const channel = await session.model.createConfirmChannel();
    channel.on('error', () => {});
    try {
      return await work(channel);
    } finally {
      await channel.close().catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#session?.model.close().catch(() => {});
    this.#session = undefined;
  }

  /** Those that the broker confirmed; fewer when the connection broke meanwhile. */
  async #send(events: readonly OutgoingEvent[]): Promise<OutgoingEvent[]> {
    const session = await this.#connected();
    const sent = events.map(async (event) => ((await session.publish(this.exchange, event)) ? [event] : []));
    const confirmed = await Promise.all(sent);
    return confirmed.flat();
  }

  async #connected(): Promise<Session> {
    const deadline = Date.now() + CONNECT_MS;
    for (;;) {
      if (this.#session?.isOpen) return this.#session;
      try {
        this.#session = await Session.open(this.uri, this.exchange);
      } catch (error) {
        if (this.#closed || Date.now() > deadline) throw error;
        await delay(100);
      }
    }
  }
}

/** One connection with one confirm channel. */
class Session {
  isOpen = true;
  readonly #lost: Promise<boolean>;
  /** Bodies that no queue took: the relay had not bound its queue, and nobody would ever see them. */
  #unroutable: Error | undefined;

  private constructor(
    readonly model: ChannelModel,
    private readonly channel: ConfirmChannel,
  ) {
    this.#lost = new Promise((resolve) => {
      const lose = (): void => {
        this.isOpen = false;
        resolve(false);
      };
      model.on('error', lose);
      model.on('close', lose);
      channel.on('error', lose);
      channel.on('close', lose);
    });
    channel.on('return', (message: { fields: { routingKey: string } }) => {
      this.#unroutable = new Error(`no queue is bound for ${message.fields.routingKey}`);
    });
  }

  static async open(uri: string, exchange: string): Promise<Session> {
    const model = await connect(uri);
    model.on('error', () => {});
    try {
      const channel = await model.createConfirmChannel();
      const session = new Session(model, channel);
      await channel.assertExchange(exchange, 'topic', { durable: true, autoDelete: false });
      return session;
    } catch (error) {
      await model.close().catch(() => {});
      throw error;
    }
  }

  /** Whether the broker confirmed it; false when the connection broke first. */
  async publish(exchange: string, event: OutgoingEvent): Promise<boolean> {
    if (!this.isOpen) return false;
    const confirmed = new Promise<boolean>((resolve) => {
      try {
        this.channel.publish(exchange, event.routingKey, event.body(), { mandatory: true }, (error) =>
          resolve(!error),
        );
      } catch {
        resolve(false);
      }
    });
    const isConfirmed = await Promise.race([confirmed, this.#lost]);
    if (this.#unroutable !== undefined) throw this.#unroutable;
    return isConfirmed;
  }
}

/** `count` messages, each with its own key, in the shape of the core API's. */
export function messageEvents(name: string, count: number): OutgoingEvent[] {
  const madeAt = new Date().toISOString();
  return Array.from({ length: count }, (_, index) => {
    const key = `${name}-${index}`;
    const body = Buffer.from(JSON.stringify(message(key, index, madeAt)));
    return { key, routingKey: 'messages.upsert', body: () => body };
  });
}

function message(key: string, index: number, madeAt: string): object {
  return {
    event: 'messages.upsert',
    instance: `instance-${index % 5}`,
    data: {
      key: { remoteJid: '5511988887777@s.whatsapp.net', fromMe: false, id: key, participant: '' },
      pushName: 'Zoë 👋',
      status: 'DELIVERY_ACK',
      message: { conversation: `message ${index} `.repeat(40) },
      messageType: 'conversation',
      messageTimestamp: 1_767_225_600 + index,
      instanceId: '2b3c1f6e-6f5b-4c59-b0a5-6d5dd4a8a9b3',
      source: 'android',
    },
    server_url: 'http://localhost:8080',
    date_time: madeAt,
    sender: '5511900000001@s.whatsapp.net',
    apikey: null,
  };
}
