import type { Config } from '../config/config';
import type { RedisClient } from '../redis/scripts';
import { SettingsCipher } from './cipher';
import { SettingsStore } from './settings-store';

/** The settings in Redis as the configuration says that they are kept. */
export function openSettingsStore({ redis, settings }: Config, client: RedisClient): SettingsStore {
  const { encryptionKeys, acceptClear } = settings;
  return new SettingsStore({
    redis: client,
    prefix: redis.prefix,
    cipher: new SettingsCipher(encryptionKeys, { acceptClear }),
  });
}
