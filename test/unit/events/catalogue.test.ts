import fc from 'fast-check';
import {
  CATALOGUE,
  eventLabel,
  filterKey,
  findEvent,
  findKey,
  spellings,
  urlSuffix,
} from '../../../src/events/catalogue';

/** Contract B.5, every row. */
const EMITTED = `application.startup instance.create instance.delete qrcode.updated connection.update
  status.instance messages.set messages.upsert messages.edited messages.update messages.delete send.message
  send.message.update contacts.set contacts.upsert contacts.update presence.update chats.set chats.upsert
  chats.update chats.delete groups.upsert groups.update group-participants.update call labels.edit
  labels.association typebot.start typebot.change-status remove.instance logout.instance creds.update
  messaging-history.set`.split(/\s+/);

/** The core API's enum of subscriptions. */
const ENUM = `APPLICATION_STARTUP QRCODE_UPDATED MESSAGES_SET MESSAGES_UPSERT MESSAGES_EDITED MESSAGES_UPDATE
  MESSAGES_DELETE SEND_MESSAGE SEND_MESSAGE_UPDATE CONTACTS_SET CONTACTS_UPSERT CONTACTS_UPDATE PRESENCE_UPDATE
  CHATS_SET CHATS_UPSERT CHATS_UPDATE CHATS_DELETE GROUPS_UPSERT GROUP_UPDATE GROUP_PARTICIPANTS_UPDATE
  CONNECTION_UPDATE LABELS_EDIT LABELS_ASSOCIATION CALL TYPEBOT_START TYPEBOT_CHANGE_STATUS REMOVE_INSTANCE
  LOGOUT_INSTANCE INSTANCE_CREATE INSTANCE_DELETE STATUS_INSTANCE`.split(/\s+/);

/** Keys in the core API's names of variables. */
const VARIABLES =
  `APPLICATION_STARTUP INSTANCE_CREATE INSTANCE_DELETE QRCODE_UPDATED MESSAGES_SET MESSAGES_UPSERT
  MESSAGES_EDITED MESSAGES_UPDATE MESSAGES_DELETE SEND_MESSAGE SEND_MESSAGE_UPDATE CONTACTS_SET CONTACTS_UPDATE
  CONTACTS_UPSERT PRESENCE_UPDATE CHATS_SET CHATS_UPDATE CHATS_UPSERT CHATS_DELETE CONNECTION_UPDATE LABELS_EDIT
  LABELS_ASSOCIATION GROUPS_UPSERT GROUPS_UPDATE GROUP_PARTICIPANTS_UPDATE CALL TYPEBOT_START
  TYPEBOT_CHANGE_STATUS`.split(/\s+/);

/** The "Webhooks" document: name, event, suffix. */
const DOCUMENTED: readonly (readonly [key: string, event: string, suffixKey: string, suffix: string])[] = [
  ['APPLICATION_STARTUP', 'application.startup', 'APPLICATION_STARTUP', 'application-startup'],
  ['QRCODE_UPDATED', 'qrcode.updated', 'QRCODE_UPDATED', 'qrcode-updated'],
  ['CONNECTION_UPDATE', 'connection.update', 'CONNECTION_UPDATE', 'connection-update'],
  ['MESSAGES_SET', 'message.set', 'MESSAGES_SET', 'messages-set'],
  ['MESSAGES_UPSERT', 'message.upsert', 'MESSAGES_UPSERT', 'messages-upsert'],
  ['MESSAGES_UPDATE', 'message.update', 'MESSAGES_UPDATE', 'messages-update'],
  ['MESSAGES_DELETE', 'message.delete', 'MESSAGES_DELETE', 'messages-delete'],
  ['SEND_MESSAGE', 'send.message', 'SEND_MESSAGES', 'send-messages'],
  ['CONTACTS_SET', 'contacts.set', 'CONTACTS_SET', 'contacts-set'],
  ['CONTACTS_UPSERT', 'contacts.upsert', 'CONTACTS_UPSERT', 'contacts-upsert'],
  ['CONTACTS_UPDATE', 'contacts.update', 'CONTACTS_UPDATE', 'contacts-update'],
  ['PRESENCE_UPDATE', 'presence.update', 'PRESENCE_UPDATE', 'presence-update'],
  ['CHATS_SET', 'chats.set', 'CHATS_SET', 'chats-set'],
  ['CHATS_UPDATE', 'chats.update', 'CHATS_UPDATE', 'chats-update'],
  ['CHATS_UPSERT', 'chats.upsert', 'CHATS_UPSERT', 'chats-upsert'],
  ['GROUPS_UPSERT', 'groups.upsert', 'GROUPS_UPSERT', 'groups-upsert'],
  ['GROUPS_UPDATE', 'groups.update', 'GROUPS_UPDATE', 'groups-update'],
  [
    'GROUP_PARTICIPANTS_UPDATE',
    'group-participants.update',
    'GROUP_PARTICIPANTS_UPDATE',
    'groups-participants-update',
  ],
  ['NEW_TOKEN', 'new.jwt', 'NEW_TOKEN', 'new-token'],
];

describe('the catalogue', () => {
  test.each(EMITTED)('has the event %s, which the core API emits or reserves', (event) => {
    expect(findEvent(event)?.event).toBe(event);
  });

  test.each(ENUM)('has the subscription name %s', (key) => {
    expect(findKey(key)).toBeDefined();
    expect(findKey(key.toLowerCase())).toBe(findKey(key));
  });

  test.each(VARIABLES)('has the variable name %s', (key) => {
    expect(findKey(key)).toBeDefined();
  });

  test.each(DOCUMENTED)(
    '%s, %s: the documented names and the suffix of %s',
    (key, event, suffixKey, suffix) => {
      const type = findKey(key);
      expect(type).toBeDefined();
      expect(findEvent(event)).toBe(type);
      expect(findKey(suffixKey)).toBe(type);
      expect(urlSuffix(event, true)).toBe(suffix);
    },
  );

  test.each([
    ['messages.upsert', 'messages-upsert'],
    ['group-participants.update', 'group-participants-update'],
    ['typebot.change-status', 'typebot-change-status'],
    ['send.message.update', 'send-message-update'],
    ['send.message', 'send-message'],
    ['call', 'call'],
  ])('by-events appends to %s what the core API appends: %s', (event, suffix) => {
    expect(urlSuffix(event, false)).toBe(suffix);
  });

  test.each([
    ['GROUP_UPDATE', 'GROUPS_UPDATE'],
    ['NEW_JWT_TOKEN', 'NEW_TOKEN'],
    ['NEW_JWT', 'NEW_TOKEN'],
    ['SEND_MESSAGES', 'SEND_MESSAGE'],
    ['GROUPS_PARTICIPANTS_UPDATE', 'GROUP_PARTICIPANTS_UPDATE'],
  ])('%s and %s mean the same everywhere', (one, other) => {
    expect(findKey(one)).toBe(findKey(other));
  });

  test.each([
    ['group.participants.update', 'group-participants.update'],
    ['typebot.change.status', 'typebot.change-status'],
    ['group.update', 'groups.update'],
  ])('%s, as the core API names its start-up queues, is %s', (event, real) => {
    expect(findEvent(event)?.event).toBe(real);
    expect(filterKey(event)).toBe(filterKey(real));
  });

  test('the filter key of an event is what the core API derives: dots and hyphens become underscores', () => {
    for (const { event, key } of CATALOGUE.filter((type) => type.event !== 'new.jwt')) {
      expect(key).toBe(event.replaceAll(/[.-]/g, '_').toUpperCase());
      expect(filterKey(event)).toBe(key);
    }
    expect(filterKey('brand-new.event')).toBe('BRAND_NEW_EVENT');
  });

  test('no name means two events', () => {
    const keys = CATALOGUE.flatMap(({ key, otherKeys = [] }) => [key, ...otherKeys]);
    const events = CATALOGUE.flatMap(spellings);
    const suffixes = CATALOGUE.flatMap(({ suffix, legacySuffix }) => [
      suffix,
      legacySuffix ?? `${suffix} legacy`,
    ]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(events).size).toBe(events.length);
    expect(new Set(suffixes).size).toBe(suffixes.length);
  });

  test('an event outside the catalogue has a suffix, and counts under one label that nobody can make grow', () => {
    expect(urlSuffix('Brand_new.event', false)).toBe('brand-new-event');
    fc.assert(
      fc.property(fc.string(), (event) => {
        fc.pre(findEvent(event) === undefined);
        expect(eventLabel(event)).toBe('other');
      }),
    );
  });
});
