import type { DestinationModule } from '../module';
import { websocketConfig } from './websocket-config';
import { websocketSection } from './websocket-section';
import { WebSockets } from './websockets';

export const websocketModule: DestinationModule = {
  kind: 'websocket',
  config: websocketConfig,
  section: websocketSection,
  eventsPerRequest: 1,
  open: ({ config, openRedis }) => new WebSockets(config, openRedis()),
};
