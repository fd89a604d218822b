import { z } from 'zod';
import { type Format, flag, integer, jsonText, optional, parseJson } from '../config/formats';
import type { Reading } from '../config/reading';
import { type Variable, variable } from '../config/variable';
import { ContentFilter, filterWarnings } from '../filters/content-filter';
import { checkedBy } from '../settings/own-words';
import { contentFields, MAX_AGE_SECONDS } from './destination-fields';

/** The same conditions for what is configured for all instances: each field as a variable of its own, as JSON. */

interface Named {
  readonly name: string;
  readonly format: Format<unknown>;
  readonly doc: string;
}

const NAMES = {
  filter: {
    name: 'FILTER',
    format: jsonText,
    doc: 'Conditions on what events say, such as {"data.key.remoteJid": {"$endsWith": "@g.us"}}',
  },
  fromMe: {
    name: 'FROM_ME',
    format: flag,
    doc: 'true lets only own messages pass, false only those of others',
  },
  groups: { name: 'GROUPS', format: flag, doc: 'false leaves out groups, true lets only groups pass' },
  status: {
    name: 'STATUS',
    format: flag,
    doc: 'false leaves out status@broadcast, true lets only that pass',
  },
  newsletters: {
    name: 'NEWSLETTERS',
    format: flag,
    doc: 'false leaves out newsletters, true lets only those pass',
  },
  chats: {
    name: 'CHATS',
    format: jsonText,
    doc: 'Chats that pass, or do not, such as {"only": ["5511988887777"]}',
  },
  participants: {
    name: 'PARTICIPANTS',
    format: jsonText,
    doc: 'Members of groups whose events pass, or do not, such as {"except": ["5511988887777"]}',
  },
  messageTypes: {
    name: 'MESSAGE_TYPES',
    format: jsonText,
    doc: 'Types of messages that pass, or do not, such as {"except": ["reactionMessage"]}',
  },
  olderThanSeconds: {
    name: 'OLDER_THAN_SECONDS',
    format: integer(1, MAX_AGE_SECONDS),
    doc: 'Leaves out messages that are older, such as history that is sent again',
  },
} as const satisfies Readonly<Record<keyof typeof contentFields, Named>>;

type Suffix = (typeof NAMES)[keyof typeof NAMES]['name'];

export type ContentVariables<Prefix extends string> = {
  readonly [Name in `${Prefix}_${Suffix}`]: Variable<unknown>;
};

const schema = z.object(contentFields);

/** @param what completes "For …" */
export function contentVariables<const Prefix extends string>(
  prefix: Prefix,
  what: string,
): ContentVariables<Prefix> {
  const entries = Object.values(NAMES).map(({ name, format, doc }) => [
    `${prefix}_${name}`,
    variable<unknown>(optional<unknown>(format), undefined, `${doc}. For ${what}.`),
  ]);
  return Object.fromEntries(entries) as ContentVariables<Prefix>;
}

/** What those variables say. */
export function readContent(
  prefix: string,
  values: Readonly<Record<string, unknown>>,
  reading: Reading,
): ContentFilter | undefined {
  const given = Object.entries(NAMES).map(([field, { name }]) => [
    field,
    decoded(values[`${prefix}_${name}`]),
  ]);
  const parsed = checkedBy(schema, Object.fromEntries(given));
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues)
      reading.problem(`${variableAt(prefix, path)}: ${message}`);
    return undefined;
  }
  const { filter } = parsed.data;
  for (const warning of filter === undefined ? [] : filterWarnings(filter))
    reading.warn(`${prefix}_${NAMES.filter.name}: ${warning}`);
  return ContentFilter.of(parsed.data);
}

/** What is no JSON is named with the variables of a wrong format. */
function decoded(value: unknown): unknown {
  return typeof value === 'string' ? parseJson(value) : value;
}

function variableAt(prefix: string, [field, ...inner]: readonly PropertyKey[]): string {
  const named = Object.entries(NAMES).find(([name]) => name === field)?.[1];
  return [`${prefix}_${named?.name}`, ...inner.map(String)].join('.');
}
