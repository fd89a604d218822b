import type { Readiness } from '../observability/health-routes';
import type { RedisHealth } from '../redis/redis-health';
import type { SettingsCache } from '../settings/settings-cache';
import { unreadableDetail } from '../settings/unreadables';
import type { Sources } from './intake';

export interface ReadinessParts {
  readonly health: Pick<RedisHealth, 'state'>;
  readonly sources: Pick<Sources, 'states'>;
  readonly settings: Pick<SettingsCache, 'unreadable'>;
}

/** What the worker's /readyz answers: ready where every source and Redis are. */
export function readinessOf({ health, sources, settings }: ReadinessParts): Readiness {
  const { states } = sources;
  const redis = health.state;
  return {
    ready: states.every(({ ready }) => ready) && redis.ready,
    parts: {
      ...Object.fromEntries(states.map(({ name, detail }) => [name, detail])),
      redis: redis.detail,
      ...unreadableDetail(settings.unreadable),
    },
  };
}
