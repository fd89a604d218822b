import type { z } from 'zod';
import { type Fields, isFields } from './fields';
import { MASK } from './masked-url';
import { checkedBy, problemsOf } from './own-words';

/** What decides whether a section is switched off, and what it may have in it then. */
export interface SwitchedSection {
  readonly fields: z.ZodType;
  /** Fields without which nothing can be sent. Given empty, all of them, they switch the section off, as in the core API. */
  readonly essential?: readonly string[];
}

/** Whether fields, under their present names, switch a section off: they say so, or what it cannot do without is empty. */
export function switchesOff({ essential = [] }: SwitchedSection, fields: Fields): boolean {
  return fields['enabled'] === false || isEmptied(essential, fields);
}

function isEmptied(essential: readonly string[], fields: Fields): boolean {
  return essential.length > 0 && essential.every((name) => isEmpty(fields[name]));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}

/**
 * The fields of a section that is switched off, without those that are empty or wrong. Whoever switches something off
 * wants it off, whatever else is said: clients of the core API send an empty address, or a word in its place.
 */
export function fieldsOfOff(section: SwitchedSection, fields: Fields): Fields {
  const given = withoutEmpty(fields);
  const parsed = checkedBy(section.fields, given);
  if (parsed.success) return given;
  const wrong = new Set(parsed.error.issues.map(({ path: [field] }) => field));
  return Object.fromEntries(Object.entries(given).filter(([name]) => !wrong.has(name)));
}

/** What is worth knowing of such a section: why it is off although nobody says so, and what was left out of it. */
export function warningsOfOff(section: SwitchedSection, path: string, fields: unknown): string[] {
  if (!isFields(fields) || !switchesOff(section, fields)) return [];
  const { essential = [] } = section;
  const emptied = fields['enabled'] !== false && isEmptied(essential, fields);
  const parsed = checkedBy(section.fields, withoutEmpty(fields));
  // A mask stands for what is stored, which stays.
  const issues = parsed.success
    ? []
    : parsed.error.issues.filter(({ path: [field] }) => fields[String(field)] !== MASK);
  const left = issues.length === 0 || parsed.success ? [] : problemsOf({ issues }, 'all');
  return [
    ...(emptied ? [`${path}.${essential[0]}: is empty, so ${path} is switched off`] : []),
    ...left.map((problem) => `${path}.${problem}; it is left out, as ${path} is switched off`),
  ];
}

function withoutEmpty(fields: Fields): Fields {
  const filled = Object.entries({ ...fields, enabled: false }).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(filled);
}
