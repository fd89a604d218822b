import type { Config } from '../../../src/config/config';
import { type PusherConfig, pusherConfig } from '../../../src/destinations/pusher/pusher-config';
import { type WebhookConfig, webhookConfig } from '../../../src/destinations/webhook/webhook-config';
import { type WebSocketConfig, websocketConfig } from '../../../src/destinations/websocket/websocket-config';
import { type RabbitMqConfig, rabbitMqConfig } from '../../../src/sources/rabbitmq/rabbitmq-config';

export interface Parts {
  readonly rabbitmq: RabbitMqConfig;
  readonly webhook: WebhookConfig;
  readonly pusher: PusherConfig;
  readonly webSocket: WebSocketConfig;
}

/** The parts of the modules in a whole configuration. */
export function partsOf(config: Config): Parts {
  return {
    rabbitmq: rabbitMqConfig.of(config),
    webhook: webhookConfig.of(config),
    pusher: pusherConfig.of(config),
    webSocket: websocketConfig.of(config),
  };
}
