import { Section } from '../../settings/section';
import { type SwitchSettings, switchFields } from '../../settings/section-fields';

/** The WebSocket clients of one instance. */
export const websocketSection: Section<SwitchSettings> = new Section({
  name: 'websocket',
  fields: switchFields,
  obstacle: ({ webSocket }) =>
    webSocket.enabled
      ? undefined
      : 'WEBSOCKET_ENABLED is not true: nothing is delivered to WebSocket clients',
});
