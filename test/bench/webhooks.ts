import { Redis } from 'ioredis';
import { MODULES } from '../../src/modules';
import { SettingsCipher } from '../../src/settings/cipher';
import { SettingsStore } from '../../src/settings/settings-store';
import type { Bench } from './context';
import { instanceName } from './events';

/** Written at once. */
const BATCH = 200;

/** Gives each instance a webhook of its own. */
export async function setWebhooks(
  { redis: { uri, prefix } }: Bench,
  instances: number,
  urlOf: (number: number) => string,
): Promise<void> {
  const redis = new Redis(uri);
  const store = new SettingsStore({
    sections: MODULES.sections,
    redis,
    prefix,
    cipher: new SettingsCipher([]),
  });
  for (let first = 0; first < instances; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, instances - first) }, (_, index) => first + index);
    await Promise.all(
      numbers.map((number) => {
        const settings = MODULES.sections.schema.parse({ webhook: { url: urlOf(number), base64: true } });
        return store.update(instanceName(number), () => settings);
      }),
    );
  }
  redis.disconnect();
}
