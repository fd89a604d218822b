import type { Config } from '../config/config';
import { withRedis } from '../redis/with-redis';
import { SettingsCipher } from './cipher';
import { SettingsStore } from './settings-store';

/** Opens the settings of instances for one command, and closes them again. */
export function withSettings<T>(config: Config, work: (store: SettingsStore) => Promise<T>): Promise<T> {
  const cipher = new SettingsCipher(config.settings.encryptionKeys);
  const { prefix } = config.redis;
  return withRedis(config.redis, (redis) => work(new SettingsStore({ redis, prefix, cipher })));
}
