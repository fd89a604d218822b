import type { DestinationModule } from '../module';
import { WebSockets } from './websockets';

export const websocketModule: DestinationModule = {
  kind: 'websocket',
  eventsPerRequest: 1,
  open: ({ config, openRedis }) => new WebSockets(config, openRedis()),
};
