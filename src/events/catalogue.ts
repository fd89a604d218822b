import { findGoEvent } from './go-catalogue';

/**
 * Every event that the core API sends or documents: docs/core-api.md#event-names, its subscriptions, and the
 * older spellings of the "Webhooks" document. The relay passes unknown events through; the catalogue is only
 * needed to name bindings, filters and URL suffixes.
 */
export interface EventType {
  /** Name in variables and subscription lists: `MESSAGES_UPSERT`. */
  readonly key: string;
  /** Event string on the wire: `messages.upsert`. */
  readonly event: string;
  /** What by-events webhooks append to their URL, without the slash: `messages-upsert`. */
  readonly suffix: string;
  /** Suffix of the older documentation where it differs (WEBHOOK_LEGACY_PATHS). */
  readonly legacySuffix?: string;
  /** Other spellings of the key seen in documents, in the core API's enum, or derived from older events. */
  readonly otherKeys?: readonly string[];
  /** Other spellings of the event string. */
  readonly otherEvents?: readonly string[];
}

function eventType(event: string, extra: Partial<EventType> = {}): EventType {
  return { key: keyOf(event), event, suffix: event.replaceAll('.', '-'), ...extra };
}

/** Filter key of an event string as the core API derives it: `.` and `-` become `_`, upper case. */
function keyOf(event: string): string {
  return event.replaceAll(/[.-]/g, '_').toUpperCase();
}

export const CATALOGUE: readonly EventType[] = [
  eventType('application.startup'),
  eventType('instance.create'),
  eventType('instance.delete'),
  eventType('status.instance'),
  eventType('remove.instance'),
  eventType('logout.instance'),
  eventType('connection.update'),
  eventType('qrcode.updated'),
  eventType('creds.update'),
  // 2.4 declares its queue under the other spelling at start-up (docs/core-api.md#event-names).
  eventType('messaging-history.set', { otherEvents: ['messaging.history.set'] }),
  eventType('messages.set', { otherEvents: ['message.set'] }),
  eventType('messages.upsert', { otherEvents: ['message.upsert'] }),
  eventType('messages.edited', { otherEvents: ['message.edited'] }),
  eventType('messages.update', { otherEvents: ['message.update'] }),
  eventType('messages.delete', { otherEvents: ['message.delete'] }),
  eventType('send.message', { legacySuffix: 'send-messages', otherKeys: ['SEND_MESSAGES'] }),
  eventType('send.message.update'),
  eventType('contacts.set'),
  eventType('contacts.upsert'),
  eventType('contacts.update'),
  eventType('presence.update'),
  eventType('chats.set'),
  eventType('chats.upsert'),
  eventType('chats.update'),
  eventType('chats.delete'),
  eventType('groups.upsert'),
  // The core API subscribes to GROUP_UPDATE and emits groups.update (docs/core-api.md#event-names): one and the same here.
  eventType('groups.update', { otherKeys: ['GROUP_UPDATE'], otherEvents: ['group.update'] }),
  eventType('group-participants.update', {
    legacySuffix: 'groups-participants-update',
    otherKeys: ['GROUPS_PARTICIPANTS_UPDATE'],
    otherEvents: ['group.participants.update'],
  }),
  eventType('call'),
  eventType('labels.edit'),
  eventType('labels.association'),
  eventType('typebot.start'),
  eventType('typebot.change-status', { otherEvents: ['typebot.change.status'] }),
  // 1.x only; documented as NEW_TOKEN.
  eventType('new.jwt', {
    key: 'NEW_TOKEN',
    legacySuffix: 'new-token',
    otherKeys: ['NEW_JWT', 'NEW_JWT_TOKEN'],
  }),
];

/** What the core API's own enum has, as it spells it and in its order: what its answers mean by "every event". */
export const CORE_KEYS: readonly string[] = [
  'APPLICATION_STARTUP',
  'QRCODE_UPDATED',
  'MESSAGES_SET',
  'MESSAGES_UPSERT',
  'MESSAGES_EDITED',
  'MESSAGES_UPDATE',
  'MESSAGES_DELETE',
  'SEND_MESSAGE',
  'SEND_MESSAGE_UPDATE',
  'CONTACTS_SET',
  'CONTACTS_UPSERT',
  'CONTACTS_UPDATE',
  'PRESENCE_UPDATE',
  'CHATS_SET',
  'CHATS_UPSERT',
  'CHATS_UPDATE',
  'CHATS_DELETE',
  'GROUPS_UPSERT',
  'GROUP_UPDATE',
  'GROUP_PARTICIPANTS_UPDATE',
  'CONNECTION_UPDATE',
  'LABELS_EDIT',
  'LABELS_ASSOCIATION',
  'CALL',
  'TYPEBOT_START',
  'TYPEBOT_CHANGE_STATUS',
  'REMOVE_INSTANCE',
  'LOGOUT_INSTANCE',
  'INSTANCE_CREATE',
  'INSTANCE_DELETE',
  'STATUS_INSTANCE',
  'MESSAGING_HISTORY_SET',
];

/** Without a global switch in the core API: they never come by a global exchange or queue (docs/core-api.md#event-names). */
export const OF_INSTANCES_ONLY: readonly string[] = ['STATUS_INSTANCE', 'REMOVE_INSTANCE', 'LOGOUT_INSTANCE'];

const byKey = new Map<string, EventType>();
const byEvent = new Map<string, EventType>();
for (const type of CATALOGUE) {
  for (const key of [type.key, ...(type.otherKeys ?? [])]) byKey.set(key, type);
  for (const event of [type.event, ...(type.otherEvents ?? [])]) byEvent.set(event, type);
}

/** The type an event string belongs to, older spellings included. */
export function findEvent(event: string): EventType | undefined {
  return byEvent.get(event);
}

/** The type a subscription key (`MESSAGES_UPSERT`) belongs to, older spellings included. */
export function findKey(key: string): EventType | undefined {
  return byKey.get(key.toUpperCase());
}

/** Every event string that means the same as this key: what a binding for it must match. */
export function spellings(type: EventType): readonly string[] {
  return [type.event, ...(type.otherEvents ?? [])];
}

/** The key by which filters know an event, for events outside the catalogue too. */
export function filterKey(event: string): string {
  return byEvent.get(event)?.key ?? findGoEvent(event)?.event ?? keyOf(event);
}

/** What a by-events webhook appends to its URL for an event, without the slash. */
export function urlSuffix(event: string, legacyPaths: boolean): string {
  const type = byEvent.get(event);
  if (type === undefined) return event.replaceAll(/[._]/g, '-').toLowerCase();
  return legacyPaths && type.legacySuffix !== undefined ? type.legacySuffix : type.suffix;
}

/** Metrics label of an event: its catalogue name, or `other`, so that nobody outside can grow the label. */
export function eventLabel(event: string): string {
  return (byEvent.get(event) ?? findGoEvent(event))?.event ?? 'other';
}
