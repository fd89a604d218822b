import { TOY_MODULES } from '../support/toy/toy-modules';
import { type FamilySample, familySuite } from './family-suite';

/** One for each kind; a module without one fails. */
const SAMPLES: Readonly<Record<string, FamilySample>> = {
  webhook: {
    env: { WEBHOOK_GLOBAL_ENABLED: 'true', WEBHOOK_GLOBAL_URL: 'https://a.example/hook' },
    settings: { webhook: { url: 'https://own.example/hook' } },
    otherAddress: { WEBHOOK_GLOBAL_URL: 'https://a.example/another' },
  },
  pusher: {
    env: {
      PUSHER_ENABLED: 'true',
      PUSHER_GLOBAL_ENABLED: 'true',
      PUSHER_GLOBAL_APP_ID: '1',
      PUSHER_GLOBAL_KEY: 'key',
      PUSHER_GLOBAL_SECRET: 'secret',
      PUSHER_GLOBAL_CLUSTER: 'eu',
    },
    settings: { pusher: { enabled: true, appId: '2', key: 'k', secret: 's', cluster: 'eu' } },
    otherAddress: { PUSHER_GLOBAL_APP_ID: '3' },
  },
  websocket: {
    env: { WEBSOCKET_ENABLED: 'true', WEBSOCKET_GLOBAL_EVENTS: 'true' },
    settings: { websocket: { enabled: true } },
  },
  letterbox: {
    env: { LETTERBOX_URL: 'https://a.example/box' },
    settings: { letterbox: { url: 'https://own.example/box' } },
    otherAddress: { LETTERBOX_URL: 'https://b.example/box' },
  },
};

for (const module of TOY_MODULES.destinations) {
  const sample = SAMPLES[module.kind];
  if (sample === undefined) throw new Error(`SAMPLES has no configuration of ${module.kind}`);
  familySuite(TOY_MODULES, module, sample);
}
