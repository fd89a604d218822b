import type { Config } from '../config/config';
import type { RedisClient } from '../redis/scripts';
import { SettingsCipher } from './cipher';
import type { Sections } from './sections';
import { SettingsStore } from './settings-store';

/** The settings in Redis as the configuration says that they are kept. */
export function openSettingsStore(
  sections: Sections,
  { redis, settings }: Config,
  client: RedisClient,
): SettingsStore {
  const { encryptionKeys, acceptClear } = settings;
  return new SettingsStore({
    sections,
    redis: client,
    prefix: redis.prefix,
    cipher: new SettingsCipher(encryptionKeys, { acceptClear }),
  });
}
