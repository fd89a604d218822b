import type { ConsumeMessage } from 'amqplib';
import type { Origin } from '../../events/envelope';
import type { Settlement, SourceMessage } from '../../pipeline/message';

/** The channel that a message came by. */
export interface MessageChannel {
  readonly isLost: boolean;
  settle(message: ConsumeMessage, settlement: Settlement): void;
}

export class RabbitMqMessage implements SourceMessage {
  readonly body: Buffer;
  copy: 'main' | 'ordered' | undefined;
  private isSettled = false;

  constructor(
    private readonly message: ConsumeMessage,
    readonly origin: Origin,
    private readonly channel: MessageChannel,
  ) {
    this.body = message.content;
  }

  get publishedAt(): number | undefined {
    const { timestamp } = this.message.properties as { timestamp?: unknown };
    return typeof timestamp === 'number' ? timestamp * 1000 : undefined;
  }

  /** Neither core sets one; a program that publishes events of evolution-go in other ways may. */
  get messageId(): string | undefined {
    const { messageId } = this.message.properties as { messageId?: unknown };
    return typeof messageId === 'string' && messageId !== '' ? messageId : undefined;
  }

  get redelivered(): boolean {
    return this.message.fields.redelivered;
  }

  get isLost(): boolean {
    return this.channel.isLost;
  }

  get term(): object | undefined {
    return this.copy === 'ordered' ? this.channel : undefined;
  }

  settle(settlement: Settlement): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.channel.settle(this.message, settlement);
  }
}

/** @param instances names of exchanges that belong to one instance, which are named like it */
export function originOf({ fields }: ConsumeMessage, instances: ReadonlySet<string>): Origin {
  const { exchange, routingKey } = fields;
  return instances.has(exchange) ? { routingKey, instance: exchange } : { routingKey };
}
