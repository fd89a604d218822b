import type { DestinationModule } from '../module';
import { websocketSection } from './websocket-section';
import { WebSockets } from './websockets';

export const websocketModule: DestinationModule = {
  kind: 'websocket',
  section: websocketSection,
  eventsPerRequest: 1,
  open: ({ config, openRedis }) => new WebSockets(config, openRedis()),
};
