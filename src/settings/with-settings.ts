import type { Config } from '../config/config';
import { withRedis } from '../redis/with-redis';
import { openSettingsStore } from './open-store';
import type { Sections } from './sections';
import type { SettingsStore } from './settings-store';

/** Opens the settings of instances for one command, and closes them again. */
export function withSettings<T>(
  sections: Sections,
  config: Config,
  work: (store: SettingsStore) => Promise<T>,
): Promise<T> {
  return withRedis(config.redis, (redis) => work(openSettingsStore(sections, config, redis)));
}
