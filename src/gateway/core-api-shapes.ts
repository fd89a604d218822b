import { createHash } from 'node:crypto';
import { maskedSection } from '../settings/mask';
import { type Fields, pathOf, type SectionValue, type Slot } from '../settings/section';

/** Answers of set and find: rows of the core API's database (docs/core-api.md#rest) and the relay's own fields. */
export type Row = Fields;

export function rowOf(instance: string, slot: Slot, value: SectionValue): Row {
  const { createdAt = null, updatedAt = null } = value;
  return {
    id: idOf(instance, slot),
    ...fieldsOf(slot, value),
    createdAt,
    updatedAt,
    instanceId: uuidOf(instance),
  };
}

function fieldsOf({ section }: Slot, value: SectionValue): Row {
  const { row } = section.definition;
  if (row !== undefined) return row(value);
  const { createdAt: _createdAt, updatedAt: _updatedAt, ...fields } = maskedSection(section, value);
  return fields;
}

/** The core API's ids are 25 characters that begin with c; ours are always the same for the same thing. */
function idOf(instance: string, slot: Slot): string {
  return `c${hashOf(`${pathOf(slot)} of ${instance}`).slice(0, 24)}`;
}

/** Stands for the core API's id of an instance, which the relay does not know (RFC 9562, version 8). */
export function uuidOf(instance: string): string {
  const hex = hashOf(instance);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
