import { isFields, pathOf, type Section } from './section';
import type { Sections } from './sections';

/** The core API's rows hold these, too. */
const OF_ROWS = ['id', 'instanceId'];

/**
 * Warnings about fields of sections that do not exist. A misspelt one would otherwise have no effect that anybody sees:
 * `event` for `events` lets every event pass.
 */
export function unknownFields(sections: Sections, settings: object): string[] {
  const warnings: string[] = [];
  sections.map(settings, (value, slot) => {
    const known = namesOf(slot.section);
    const given = slot.section.withPresentNames(value);
    for (const field of isFields(given) ? Object.keys(given) : []) {
      if (!known.has(field)) warnings.push(`${pathOf(slot)}.${field}: no such field; it is left out`);
    }
    return value;
  });
  return warnings;
}

function namesOf({ definition }: Section): ReadonlySet<string> {
  return new Set([...Object.keys(definition.fields.shape), ...OF_ROWS]);
}
