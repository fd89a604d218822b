import { createHash } from 'node:crypto';
import { CORE_KEYS } from '../events/catalogue';
import { maskedSection } from '../settings/mask';
import {
  type Fields,
  pathOf,
  type Section,
  type SectionValue,
  type Settings,
  type Slot,
} from '../settings/section';
import type { Sections } from '../settings/sections';
import { readSlot } from '../settings/slot';
import { CLIENT_NAME } from '../version';

/** Answers of set and find: rows of the core API's database (docs/core-api.md#rest) and the relay's own fields. */
export type Row = Fields;

export function rowOf(instance: string, slot: Slot, settings: Settings | undefined): Row | undefined {
  const value = readSlot(settings, slot);
  if (value === undefined) return undefined;
  const { createdAt = null, updatedAt = null } = value;
  return {
    id: idOf(instance, slot),
    ...fieldsOf(slot, value),
    events: shownEvents(value),
    createdAt,
    updatedAt,
    instanceId: instanceIdOf(instance, settings),
  };
}

/** Forms of the core API's clients show what is chosen: every event is every name, as its own rows have it. */
function shownEvents({ enabled, events }: SectionValue): readonly string[] {
  return enabled && events.length === 0 ? CORE_KEYS : events;
}

/** Sections that the core API's answer to a new instance always has, and those that the relay has not. */
const ALWAYS = ['webhook', 'websocket', 'rabbitmq', 'nats', 'sqs'];

/** Behaviour of the instance itself, which is the core API's business: what was asked for, and its defaults. */
const BEHAVIOUR = {
  rejectCall: false,
  msgCall: '',
  groupsIgnore: false,
  alwaysOnline: false,
  readMessages: false,
  readStatus: false,
  syncFullHistory: false,
  wavoipToken: '',
};

export interface CreatedInstance {
  /** The body. */
  readonly given: Fields;
  readonly settings: Settings;
}

/** The answer to a new instance, with everything that the core API's has and the relay can know. */
export function createdAnswer({ list }: Sections, name: string, { given, settings }: CreatedInstance): Row {
  const summaries = list.flatMap((section) => {
    const value = section.of(settings);
    return value === undefined ? [] : [[section.name, summaryOf(section, value)]];
  });
  const { integration } = given;
  const behaviour = Object.entries(BEHAVIOUR).map(([field, usual]) => {
    const asked = given[field];
    return [field, typeof asked === typeof usual ? asked : usual];
  });
  return {
    instance: {
      instanceName: name,
      instanceId: instanceIdOf(name, settings),
      integration: typeof integration === 'string' ? integration : 'WHATSAPP-BAILEYS',
      webhookWaBusiness: null,
      accessTokenWaBusiness: '',
      status: 'created',
    },
    hash: settings.token,
    ...Object.fromEntries(ALWAYS.map((section) => [section, {}])),
    ...Object.fromEntries(summaries),
    settings: Object.fromEntries(behaviour),
  };
}

function summaryOf({ definition }: Section, value: SectionValue): Fields {
  return definition.summary?.(value) ?? { enabled: value.enabled };
}

function fieldsOf({ section }: Slot, value: SectionValue): Row {
  const { row } = section.definition;
  if (row !== undefined) return row(value);
  const { createdAt: _createdAt, updatedAt: _updatedAt, ...fields } = maskedSection(section, value);
  return fields;
}

/** What a section is called in the core API's row of an instance. */
const RELATIONS: Readonly<Record<string, string>> = {
  rabbitmq: 'Rabbitmq',
  sqs: 'Sqs',
  websocket: 'Websocket',
  webhook: 'Webhook',
  pusher: 'Pusher',
};

/**
 * An instance as `fetchInstances` lists it. What the relay does not know is null: how WhatsApp is connected is the core API's
 * business. Tokens are write-only.
 */
export function instanceRow({ list }: Sections, name: string, settings: Settings): Row {
  const rows = list.map((section) => [
    RELATIONS[section.name] ?? section.name,
    rowOf(name, { section }, settings) ?? null,
  ]);
  return {
    id: instanceIdOf(name, settings),
    name,
    connectionStatus: null,
    ownerJid: null,
    profileName: null,
    profilePicUrl: null,
    integration: null,
    number: null,
    businessId: null,
    token: null,
    clientName: CLIENT_NAME,
    ...Object.fromEntries(rows),
    _count: { Message: 0, Contact: 0, Chat: 0 },
  };
}

/** The core API's ids are 25 characters that begin with c; ours are always the same for the same thing. */
function idOf(instance: string, slot: Slot): string {
  return `c${hashOf(`${pathOf(slot)} of ${instance}`).slice(0, 24)}`;
}

/** The core API's own, where it was imported or set. */
function instanceIdOf(instance: string, settings: Settings | undefined): string {
  return settings?.instanceId ?? uuidOf(instance);
}

/** Stands for the core API's id of an instance where the relay does not know it (RFC 9562, version 8). */
function uuidOf(instance: string): string {
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
