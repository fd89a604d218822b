import { Section } from '../../settings/section';
import { type SwitchSettings, switchFields } from '../../settings/section-fields';
import { websocketConfig } from './websocket-config';

/** The WebSocket clients of one instance. */
export const websocketSection: Section<SwitchSettings> = new Section({
  name: 'websocket',
  fields: switchFields,
  obstacle: (config) =>
    websocketConfig.of(config).enabled
      ? undefined
      : 'WEBSOCKET_ENABLED is not true: nothing is delivered to WebSocket clients',
});
