import type { DestinationModule } from './destinations/module';
import { pusherModule } from './destinations/pusher/pusher-module';
import { webhookModule } from './destinations/webhook/webhook-module';
import { websocketModule } from './destinations/websocket/websocket-module';

/** Everything that events can go to. One line here, and a folder in `destinations`, is what a destination needs. */
export interface Modules {
  readonly destinations: readonly DestinationModule[];
}

export const MODULES: Modules = {
  destinations: [webhookModule, pusherModule, websocketModule],
};
