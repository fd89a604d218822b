import type { z } from 'zod';
import { Section } from '../../settings/section';
import { switchFields } from '../../settings/section-fields';
import { destinationFields, destinationWarnings } from '../destination-fields';
import { websocketConfig } from './websocket-config';

const fields = switchFields.extend(destinationFields);

export type WebSocketSettings = z.output<typeof fields>;

/** The WebSocket clients of one instance. */
export const websocketSection: Section<WebSocketSettings> = new Section({
  name: 'websocket',
  fields,
  obstacle: (config) =>
    websocketConfig.of(config).enabled
      ? undefined
      : 'WEBSOCKET_ENABLED is not true: nothing is delivered to WebSocket clients',
  checker: (config) => ({ check: (_instance, value, path) => destinationWarnings(value, path, config) }),
});
