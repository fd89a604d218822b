import { type ContentConditions, ContentFilter, type Refusal } from '../../../src/filters/content-filter';
import { EventView } from '../../../src/filters/event-view';
import { envelopeOf, fixture, fixtureNames } from '../../support/values/events';

type Fields = Record<string, unknown>;

const PERSON = '5511988887777';
const LID = '99887766554433@lid';
const GROUP = '120363000000000001@g.us';

function bodyOf(file: string): { event: string; data: Fields } & Fields {
  return JSON.parse(fixture(file).toString());
}

function viewOf(body: object): EventView {
  return new EventView(envelopeOf(JSON.stringify(body), { routingKey: '', instance: 'vendas' }));
}

const passes = (conditions: ContentConditions, body: object): boolean =>
  ContentFilter.of(conditions)?.passes(viewOf(body)) ?? true;
const refusalOf = (conditions: ContentConditions, body: object): Refusal | undefined =>
  ContentFilter.of(conditions)?.refusals(viewOf(body))[0];

/** The same message, as each core writes it. */
interface Message {
  readonly chat: string;
  readonly chatAlt?: string;
  readonly fromMe?: boolean;
  readonly participant?: string;
  readonly participantAlt?: string;
  /** As the core API calls it; evolution-go leaves "Message" out. */
  readonly type?: string;
  readonly writtenAt?: Date;
}

const CORES: readonly [core: string, write: (message: Message) => object][] = [
  [
    'the core API',
    ({ chat, chatAlt, fromMe = false, participant, participantAlt, type, writtenAt }) => ({
      ...bodyOf('messages.upsert.json'),
      data: {
        key: { remoteJid: chat, remoteJidAlt: chatAlt, fromMe, participant, participantAlt, id: '3EB0' },
        messageType: type ?? 'conversation',
        ...(writtenAt === undefined ? {} : { messageTimestamp: Math.floor(writtenAt.getTime() / 1000) }),
      },
    }),
  ],
  [
    'evolution-go',
    ({ chat, chatAlt, fromMe = false, participant, participantAlt, type, writtenAt }) => {
      const body = bodyOf('evolution-go/message.json');
      const Info = {
        ...(body.data['Info'] as Fields),
        Chat: chat,
        Sender: participant ?? chat,
        SenderAlt: participantAlt ?? (fromMe ? '' : chatAlt) ?? '',
        RecipientAlt: fromMe ? (chatAlt ?? '') : '',
        IsFromMe: fromMe,
        IsGroup: chat.endsWith('@g.us'),
        ...(writtenAt === undefined ? {} : { Timestamp: writtenAt.toISOString() }),
      };
      const messageType = (type ?? 'conversation').replace(/Message(V\d)?$/, '');
      return { ...body, data: { ...body.data, Info, messageType } };
    },
  ],
];

const DIRECT: Message = { chat: `${PERSON}@s.whatsapp.net`, chatAlt: LID };
const IN_GROUP: Message = { chat: GROUP, participant: LID, participantAlt: `${PERSON}@s.whatsapp.net` };
const STATUS: Message = { chat: 'status@broadcast', participant: `${PERSON}@s.whatsapp.net` };
const NEWSLETTER: Message = { chat: '120363111111111111@newsletter' };

describe.each(CORES)('the short form, of messages of %s', (_core, write) => {
  test.each<[conditions: ContentConditions, message: Message, expected: boolean]>([
    [{ fromMe: false }, DIRECT, true],
    [{ fromMe: false }, { ...DIRECT, fromMe: true }, false],
    [{ fromMe: true }, { ...DIRECT, fromMe: true }, true],
    [{ fromMe: true }, DIRECT, false],
    [{ groups: false }, IN_GROUP, false],
    [{ groups: false }, DIRECT, true],
    [{ groups: false }, STATUS, true],
    [{ groups: true }, IN_GROUP, true],
    [{ groups: true }, DIRECT, false],
    [{ groups: true, newsletters: true }, NEWSLETTER, true],
    [{ groups: true, newsletters: true }, STATUS, false],
    [{ status: false }, STATUS, false],
    [{ status: false, groups: false }, DIRECT, true],
    [{ newsletters: false }, NEWSLETTER, false],
    [{ newsletters: false }, DIRECT, true],
    [{ chats: { only: [PERSON] } }, DIRECT, true],
    [{ chats: { only: ['+55 11 98888-7777'] } }, DIRECT, true],
    [{ chats: { only: [`${PERSON}:12@s.whatsapp.net`] } }, DIRECT, true],
    [{ chats: { only: [`${PERSON}@c.us`] } }, DIRECT, true],
    // WhatsApp may know a number of Brazil without its ninth digit.
    [{ chats: { only: ['+55 31 98888-7777'] } }, { chat: '553188887777@s.whatsapp.net' }, true],
    [{ chats: { except: ['553188887777'] } }, { chat: '5531988887777@s.whatsapp.net' }, false],
    [{ chats: { only: [LID] } }, DIRECT, true],
    [{ chats: { only: [LID] } }, { ...DIRECT, fromMe: true }, true],
    [{ chats: { only: [GROUP] } }, DIRECT, false],
    [{ chats: { only: [GROUP] } }, IN_GROUP, true],
    [{ chats: { except: [LID] } }, DIRECT, false],
    [{ chats: { except: [LID] } }, IN_GROUP, true],
    [{ chats: { only: [PERSON, GROUP], except: [GROUP] } }, IN_GROUP, false],
    [{ participants: { only: [PERSON] } }, IN_GROUP, true],
    [{ participants: { only: ['5511900000009'] } }, IN_GROUP, false],
    [{ participants: { only: ['5511900000009'] } }, DIRECT, true],
    [{ participants: { except: [LID] } }, IN_GROUP, false],
    [{ participants: { except: [PERSON] } }, STATUS, false],
    [{ messageTypes: { only: ['imageMessage'] } }, { ...DIRECT, type: 'imageMessage' }, true],
    [{ messageTypes: { only: ['image'] } }, { ...DIRECT, type: 'imageMessage' }, true],
    [{ messageTypes: { only: ['imageMessage'] } }, DIRECT, false],
    [{ messageTypes: { except: ['text'] } }, DIRECT, false],
    [
      { messageTypes: { except: ['pollCreationMessage'] } },
      { ...DIRECT, type: 'pollCreationMessageV3' },
      false,
    ],
    [{ fromMe: false, groups: false, filter: { instance: 'other' } }, DIRECT, false],
  ])('%j of %j: %s', (conditions, message, expected) => {
    expect(passes(conditions, write(message))).toBe(expected);
  });

  test('older than so many seconds: by the time at which the event came', () => {
    const arrival = Date.parse('2026-05-17T13:00:00.000Z');
    const conditions = { olderThanSeconds: 300 };
    const at = (seconds: number): EventView => {
      const body = write({ ...DIRECT, writtenAt: new Date(arrival - seconds * 1000) });
      const envelope = envelopeOf(JSON.stringify(body), { routingKey: '', instance: 'vendas' });
      return new EventView({ ...envelope, since: arrival });
    };
    const content = ContentFilter.of(conditions);
    expect([0, 300, 301, -60].map((seconds) => content?.passes(at(seconds)))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(content?.refusals(at(86_400))).toEqual([
      { condition: 'olderThanSeconds', wanted: 'no older than 300 seconds', found: 86_400 },
    ]);
    // What the relay itself kept waiting is no history that is sent again.
    expect(content?.passes(new EventView({ ...at(86_400).envelope, since: undefined }))).toBe(true);
  });
});

describe('the short form', () => {
  const strict: ContentConditions = {
    fromMe: true,
    groups: true,
    chats: { only: ['1'] },
    participants: { only: ['1'] },
    messageTypes: { only: ['imageMessage'] },
    olderThanSeconds: 1,
  };

  test.each([
    'connection.update.json',
    'qrcode.updated.json',
    'instance.create.json',
    'logout.instance.json',
    'status.instance.json',
    'labels.edit.json',
    'messaging-history.set.json',
  ])('lets an event pass that says nothing about what it asks for: %s', (file) => {
    expect(passes(strict, bodyOf(file))).toBe(true);
  });

  test.each([
    ['messages.update.json', 'messages.delete.json', 'messages.edited.json', 'send.message.json'],
    ['chats.delete.json', 'chats.set.json', 'chats.update.json', 'chats.upsert.json'],
    ['contacts.update.json', 'contacts.upsert.json', 'contacts.upsert.single.json', 'presence.update.json'],
    ['call.json', 'labels.association.json', 'typebot.start.json', 'messages.upsert.meta.json'],
    [
      'groups.upsert.json',
      'group-participants.update.json',
      'messages.upsert.group.json',
      'messages.set.json',
    ],
  ])('knows the chat of %s, %s, %s and %s', (...files) => {
    for (const file of files) {
      const conditions = { chats: { only: ['5500000000000'] } };
      expect([file, passes(conditions, bodyOf(file))]).toEqual([file, false]);
      expect(refusalOf(conditions, bodyOf(file))).toMatchObject({ condition: 'chats.only' });
    }
  });

  test('knows members of groups by any of their names', () => {
    for (const name of ['99887766554433@lid', '5511900000001', '11223344556677@lid'])
      expect([name, passes({ participants: { only: [name] } }, bodyOf('groups.upsert.json'))]).toEqual([
        name,
        true,
      ]);
    expect(passes({ participants: { only: ['5511977777777'] } }, bodyOf('groups.upsert.json'))).toBe(false);
    expect(
      passes({ participants: { only: ['5511977777777'] } }, bodyOf('group-participants.update.json')),
    ).toBe(false);
  });

  test('of a deletion that names an old message does not ask for its age', () => {
    const body = { ...bodyOf('messages.delete.json'), data: { key: { fromMe: false }, messageTimestamp: 1 } };
    expect(passes({ olderThanSeconds: 1 }, body)).toBe(true);
  });

  test.each([
    ['a number', 1_762_190_527],
    ['a text', '1762190527'],
    ['a Long', { low: 1_762_190_527, high: 0, unsigned: true }],
  ])('reads the time of a message that is %s', (_name, messageTimestamp) => {
    const body = { ...bodyOf('messages.upsert.json'), data: { key: {}, messageTimestamp } };
    const view = viewOf(body);
    const written = 1_762_190_527_000;
    const ages = [0, 61_000].map((age) => new EventView({ ...view.envelope, since: written + age }));
    expect(ages.map((each) => ContentFilter.of({ olderThanSeconds: 60 })?.passes(each))).toEqual([
      true,
      false,
    ]);
  });

  test('of a list passes where one item does, with all conditions for the same item', () => {
    const item = (fromMe: boolean, remoteJid: string): object => ({ key: { fromMe, remoteJid } });
    const body = { event: 'messages.set', data: [item(true, PERSON), item(false, GROUP)] };
    expect(passes({ fromMe: false }, body)).toBe(true);
    expect(passes({ fromMe: false, groups: false }, body)).toBe(false);
    expect(passes({ fromMe: false }, { ...body, data: [] })).toBe(true);
  });

  test.each(['receipt.json', 'chatpresence.json'])('knows the chat of evolution-go’s %s', (file) => {
    const body = bodyOf(`evolution-go/${file}`);
    expect(passes({ chats: { only: [PERSON] }, fromMe: false }, body)).toBe(true);
    expect(passes({ chats: { only: [GROUP] } }, body)).toBe(false);
  });

  test('no fixture makes any condition fail in another way than by not passing', () => {
    for (const file of fixtureNames()) {
      const view = new EventView(envelopeOf(fixture(file), { routingKey: '', instance: 'i' }));
      const content = ContentFilter.of({ ...strict, filter: { 'data.key.a.0.b': { $gt: 1 } } });
      if (content?.passes(view) === false) expect(content.refusals(view).length).toBeGreaterThan(0);
    }
  });
});
