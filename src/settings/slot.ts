import { checkedBy } from './own-words';
import { pathOf, type SectionValue, type Settings, type Slot } from './section';
import { SettingsRefusedError } from './settings-errors';

export function readSlot<Value extends SectionValue>(
  settings: Settings | undefined,
  { section, name }: Slot<Value>,
): Value | undefined {
  if (name === undefined) return section.of(settings);
  const further = section.further(settings);
  // A webhook may be called `constructor`, which every object has.
  return Object.hasOwn(further, name) ? further[name] : undefined;
}

/** Settings with nothing in the slot. */
export function withoutSlot(settings: Settings, { section, name }: Slot): Settings {
  const { named } = section.definition;
  if (name === undefined || named === undefined) {
    const { [section.name]: _removed, ...rest } = settings;
    return rest;
  }
  const { [name]: _removed, ...further } = section.further(settings);
  return { ...settings, [named.field]: further };
}

/** A document that has `value` in the slot, and what else `settings` has. */
export function documentWith(
  settings: Settings | undefined,
  { section, name }: Slot,
  value: unknown,
): object {
  const { named } = section.definition;
  if (name === undefined || named === undefined) return { ...settings, [section.name]: value };
  return { ...settings, [named.field]: { ...section.further(settings), [name]: value } };
}

/**
 * Here, as the schema of all settings leaves out `__proto__` without a word.
 *
 * @throws SettingsRefusedError
 */
export function checkName(slot: Slot): void {
  const { named } = slot.section.definition;
  if (slot.name === undefined || named === undefined) return;
  const { error } = checkedBy(named.name, slot.name);
  if (error !== undefined) {
    throw new SettingsRefusedError(error.issues.map(({ message }) => `${pathOf(slot)}: ${message}`));
  }
}
