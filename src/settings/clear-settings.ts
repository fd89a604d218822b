import type { Config } from '../config/config';
import type { Logger } from '../observability/logging';
import { type Fields, type Filled, isFields, type Settings } from './section';
import type { Sections } from './sections';
import type { SettingsStore } from './settings-store';

/** Settings that are looked through: where there are secrets, most instances have some. */
const MAX_LOOKED = 500;

export const CLEAR_SECRETS =
  'tokens, headers or secrets of instances are stored unencrypted in Redis: set SETTINGS_ENCRYPTION_KEY, such as the output of: openssl rand -base64 32, and run `evolution-relay settings encrypt`';

/** Whether secrets of instances lie in Redis as they are, as there is no key to encrypt them with. */
export async function holdsClearSecrets({ settings }: Config, store: SettingsStore): Promise<boolean> {
  if (settings.encryptionKeys.length > 0) return false;
  let looked = 0;
  for await (const [, stored] of store.list()) {
    if (stored.kind === 'readable' && hasSecrets(store.sections, stored.settings)) return true;
    if (++looked >= MAX_LOOKED) return false;
  }
  return false;
}

/** Processes that were warned: worker and gateway may be one. */
const told = new WeakSet<Logger>();

/** One warning for each process. @throws StoreUnavailableError */
export async function warnOfClearSettings(config: Config, store: SettingsStore, log: Logger): Promise<void> {
  if (told.has(log) || !(await holdsClearSecrets(config, store))) return;
  told.add(log);
  log.warn(CLEAR_SECRETS);
}

function hasSecrets(sections: Sections, settings: Settings): boolean {
  return settings.token !== undefined || sections.all(settings).some(holdsSecret);
}

function holdsSecret({ slot, value }: Filled): boolean {
  const fields: Fields = { ...value };
  return slot.section.fieldsWith('text', 'values').some((name) => {
    const secret = fields[name];
    return isFields(secret) ? Object.keys(secret).length > 0 : secret !== undefined;
  });
}
