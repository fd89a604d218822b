import type { DestinationModule } from '../module';
import { MAX_BATCH } from './batcher';
import { PusherGateway } from './gateway/pusher-gateway';
import { pusherConfig } from './pusher-config';
import { inspectPushers } from './pusher-doctor';
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
  routes: (context) => new PusherGateway(context),
  inspect: ({ config, settings }) => inspectPushers(config, settings),
};
