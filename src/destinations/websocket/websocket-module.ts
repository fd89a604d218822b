import type { DestinationModule } from '../module';
import { websocketConfig } from './websocket-config';
import { websocketSection } from './websocket-section';
import { WebSockets } from './websockets';

export const websocketModule: DestinationModule = {
  kind: 'websocket',
  config: websocketConfig,
  section: websocketSection,
  eventsPerRequest: 1,
  globalWants: (config) => {
    const { enabled, global } = websocketConfig.of(config);
    return enabled ? global : undefined;
  },
  open: ({ config, openRedis }) => new WebSockets(config, openRedis()),
};
