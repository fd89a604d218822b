import { MODULES } from '../../../src/modules';
import { parseSettings } from '../../../src/settings/document';
import type { Settings } from '../../../src/settings/section';

/** Settings of an instance as they are in force once this is set; a document with a mistake fails the test. */
export function settingsOf(document: unknown): Settings {
  const parsed = parseSettings(MODULES.sections, document);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.settings;
}
