import { isDeepStrictEqual } from 'node:util';
import { amend } from '../settings/merge-patch';
import { checkedBy } from '../settings/own-words';
import { type Fields, isFields, type Section, type Settings } from '../settings/section';
import type { CoreSection } from './core';
import type { Delivered } from './moving-notes';
import { isQuiet, QUIET } from './quiet';

/** What an import makes of one section. */
export interface SectionPlan {
  readonly section: Section;
  /** The section's value afterwards; undefined: it stays as it is. */
  readonly value: unknown;
  /** The same as it is at the core, switched on where it is on there: what is wrong is to be found now, not at the hand-over. */
  readonly asThere: unknown;
  /** For a person. */
  readonly text: string;
}

export interface SectionPlanParts {
  readonly section: Section;
  readonly found: CoreSection;
  readonly stored: Settings | undefined;
  /** What was switched off at the core, by an earlier run. */
  readonly handed: Delivered | undefined;
  /** Its events come without the instance's own exchange or queues. */
  readonly isBrought: boolean;
  /** Events are delivered by it, and the core does so itself. */
  readonly delivers: boolean;
  /** For a person: until when the core goes on to deliver by it. */
  readonly stillDelivered: string;
}

/** Undefined where the core has nothing for the section, and it stays as it is. */
export function planSection(parts: SectionPlanParts): SectionPlan | undefined {
  const { section, found } = parts;
  if (found.kind !== 'row') return undefined;
  const before = section.of(parts.stored);
  const { fields, note } = wanted(parts, found.fields, before);
  const value = normal(section, amend(section, before, fields));
  const changed = changedFields(before, value);
  if (changed.length === 0) return undefined;
  const what = before === undefined ? stateOf(value) : `changes ${changed.join(', ')}`;
  const asThere = { ...fields, enabled: found.fields['enabled'] };
  return { section, value, asThere, text: note === undefined ? what : `${what}; ${note}` };
}

interface Wanted {
  readonly fields: Fields;
  readonly note?: string;
}

function wanted(parts: SectionPlanParts, found: Fields, before: unknown): Wanted {
  // What the core says of it now is that it was switched off: what it was is what is wanted.
  const fields: Fields = parts.handed === undefined ? found : { ...found, ...parts.handed };
  if (!parts.delivers) {
    if (!parts.isBrought || fields['enabled'] === false) return { fields };
    return {
      fields: { ...fields, enabled: false },
      note: 'the global exchange or queues bring its events already',
    };
  }
  if (parts.handed !== undefined || fields['enabled'] === false) return { fields };
  if (isQuiet(before)) return { fields: { ...fields, events: QUIET } };
  // Both would deliver. What is on here already was switched on by somebody.
  if (isFields(before) && before['enabled'] === true) return { fields };
  return {
    fields: { ...fields, enabled: false },
    note: parts.stillDelivered,
  };
}

/** As it is stored; what is wrong in it is found when all settings of the instance are checked. */
function normal(section: Section, value: unknown): unknown {
  const parsed = checkedBy(section.schema, value);
  return parsed.success ? parsed.data : value;
}

/** Names only: values may be secret. */
function changedFields(before: object | undefined, after: unknown): string[] {
  const was: Fields = { ...before };
  const is: Fields = isFields(after) ? after : {};
  const names = new Set([...Object.keys(was), ...Object.keys(is)]);
  names.delete('createdAt');
  names.delete('updatedAt');
  return [...names].filter((name) => !isDeepStrictEqual(was[name], is[name]));
}

function stateOf(value: unknown): string {
  return isFields(value) && value['enabled'] === false ? 'new, off' : 'new';
}
