import { ConfigError, errorCode } from '../errors';
import type { Finding } from '../observability/finding';
import type { Settings } from './schema';
import { merge } from './settings-cache';
import type { SettingsStore } from './settings-store';

export interface InspectedSettings {
  readonly findings: readonly Finding[];
  /** Those in force, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
}

const PART = 'settings';

/** Whether all settings can be read, with the keys that are given. */
export async function inspectSettings(
  store: SettingsStore,
  file: ReadonlyMap<string, Settings>,
): Promise<InspectedSettings> {
  const settings = new Map(file);
  const troubles: Finding[] = [];
  for (const instance of await store.names()) {
    try {
      const merged = merge(file.get(instance), await store.read(instance));
      if (merged !== undefined) settings.set(instance, merged);
    } catch (error) {
      troubles.push({ part: PART, check: instance, state: 'trouble', detail: reasonOf(error) });
    }
  }
  const readable = `${settings.size} instances, ${file.size} of them in SETTINGS_FILE`;
  return {
    findings: [{ part: PART, check: 'readable', state: 'ok', detail: readable }, ...troubles],
    settings,
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join('; ');
  return error instanceof Error ? error.message : errorCode(error);
}
