import type { DestinationModule } from '../module';
import { MAX_BATCH } from './batcher';
import { pusherConfig } from './pusher-config';
import { createPusherParts } from './pusher-parts';
import { pusherSection } from './pusher-section';
import { Pushers } from './pushers';

export const pusherModule: DestinationModule = {
  kind: 'pusher',
  config: pusherConfig,
  section: pusherSection,
  eventsPerRequest: MAX_BATCH,
  global: { name: 'a global Pusher app', isSet: (config) => pusherConfig.of(config).global !== undefined },
  globalWants: (config) => pusherConfig.of(config).global,
  open: (context) => new Pushers(context.config, createPusherParts(context)),
  routes: async (context) => {
    const { PusherGateway } = await import('./gateway/pusher-gateway.js');
    return new PusherGateway(context);
  },
  inspect: async ({ config, settings }) => {
    const { inspectPushers } = await import('./pusher-doctor.js');
    return inspectPushers(config, settings);
  },
};
