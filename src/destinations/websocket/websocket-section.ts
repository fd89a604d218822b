import type { z } from 'zod';
import { deliveryFields } from '../../settings/delivery-fields';
import { Section } from '../../settings/section';
import { switchFields } from '../../settings/section-fields';
import { websocketConfig } from './websocket-config';

const fields = switchFields.extend(deliveryFields);

export type WebSocketSettings = z.output<typeof fields>;

/** The WebSocket clients of one instance. */
export const websocketSection: Section<WebSocketSettings> = new Section({
  name: 'websocket',
  fields,
  obstacle: (config) =>
    websocketConfig.of(config).enabled
      ? undefined
      : 'WEBSOCKET_ENABLED is not true: nothing is delivered to WebSocket clients',
});
