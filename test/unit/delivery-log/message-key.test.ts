import { messageKeyOf as spansOf } from '../../../src/delivery-log/message-key';
import type { Envelope } from '../../../src/events/envelope';
import { envelopeOf, fixture } from '../../support/values/events';

const messageKeyOf = (envelope: Envelope) => {
  const { message, chat, alias } = spansOf(envelope);
  return { message, chat, alias };
};
const found = (name: string) => messageKeyOf(envelopeOf(fixture(`${name}.json`)));
const of = (data: unknown, extra: object = {}) =>
  messageKeyOf(envelopeOf(JSON.stringify({ event: 'x', instance: 'y', data, ...extra })));

const MARINA = '5511988887777@s.whatsapp.net';
const NOTHING = { message: '', chat: '', alias: '' };

describe('the message and the chat that an event is about', () => {
  test.each([
    ['messages.upsert', { message: '3EB0C431C26A1916E07A', chat: MARINA }],
    ['send.message', { chat: MARINA }],
    ['messages.update', { chat: MARINA }],
    ['messages.update.lite', { chat: MARINA }],
    ['messages.delete', { chat: MARINA }],
    ['presence.update', { message: '', chat: expect.stringContaining('@') }],
    ['contacts.upsert', { message: '', chat: expect.stringContaining('@') }],
    ['chats.upsert', { message: '', chat: expect.stringContaining('@') }],
    ['chats.delete', { message: '', chat: expect.stringContaining('@') }],
    ['groups.upsert', { message: '', chat: expect.stringContaining('@g.us') }],
    ['group-participants.update', { message: '', chat: expect.stringContaining('@g.us') }],
    ['labels.association', { message: '', chat: expect.stringContaining('@') }],
    ['call', { chat: expect.stringContaining('@') }],
    ['typebot.start', { message: '', chat: expect.stringContaining('@') }],
    ['messages.set', { message: expect.stringMatching(/./), chat: expect.stringContaining('@') }],
    ['connection.update', { message: '', chat: '' }],
    ['qrcode.updated', NOTHING],
    ['logout.instance', NOTHING],
  ])('of %s are found', (name, expected) => {
    expect(found(name)).toMatchObject(expected);
  });

  test('of every event that has a key in its data are those of that key', () => {
    for (const name of [
      'messages.upsert',
      'messages.upsert.group',
      'messages.upsert.image-2.3.6',
      'messages.edited',
    ]) {
      const { data } = JSON.parse(fixture(`${name}.json`).toString()) as {
        data: { key: { id: string; remoteJid: string } };
      };
      expect(found(name)).toMatchObject({ message: data.key.id, chat: data.key.remoteJid });
    }
  });

  test('are found in the words of Evolution Go', () => {
    const info = {
      Chat: MARINA,
      Sender: MARINA,
      IsFromMe: false,
      SenderAlt: '998@lid',
      ID: '3EB0C4',
      Type: 'text',
    };
    expect(of({ Info: info, Message: { conversation: 'Oi', id: 'other' } })).toEqual({
      message: '3EB0C4',
      chat: MARINA,
      alias: '998@lid',
    });
    expect(of({ Chat: MARINA, IsGroup: false, MessageIDs: ['3EB0C4', '3EB0C5'] })).toMatchObject({
      message: '3EB0C4',
      chat: MARINA,
    });
  });

  test('names of the chat beside the key do not replace those within it', () => {
    const key = { remoteJid: MARINA, remoteJidAlt: '998@lid', fromMe: true, id: '3EB0' };
    expect(of({ id: 'row', remoteJid: 'other@g.us', key, message: { key: { id: 'quoted' } } })).toEqual({
      message: '3EB0',
      chat: MARINA,
      alias: '998@lid',
    });
  });

  test('are decoded where they hold escapes or other letters, and left out where they are no text or too long', () => {
    expect(of({ key: { id: 'a"\\\n', remoteJid: 'ü@g.us' } })).toEqual({
      message: 'a"\\\n',
      chat: 'ü@g.us',
      alias: '',
    });
    expect(of({ key: { id: 7, remoteJid: { a: 1 } } })).toEqual(NOTHING);
    expect(of({ key: { id: 'x'.repeat(300), remoteJid: MARINA } })).toMatchObject({ message: '' });
    for (const data of [null, 7, 'text', [], [[]], {}, { key: null }, { key: [] }]) {
      const { message } = of(data);
      expect(message).toBe('');
    }
  });

  test('an id that writes its @ as an escape is a chat, as any other', () => {
    const body = '{"event":"x","instance":"y","data":{"id":"5511\\u0040s.whatsapp.net"}}';
    expect(messageKeyOf(envelopeOf(body))).toEqual({ message: '', chat: '5511@s.whatsapp.net', alias: '' });
  });

  test('names that write their letters as escapes mean the same', () => {
    const key = `{"remote\\u004aid":"${MARINA}","i\\u0064":"3EB0"}`;
    const body = `{"event":"x","instance":"y","data":{"\\u006bey":${key},"__pr\\u006fto__":"x"}}`;
    expect(messageKeyOf(envelopeOf(body))).toEqual({ message: '3EB0', chat: MARINA, alias: '' });
  });

  test('behind a large value are not looked for', () => {
    expect(of({ base64: 'x'.repeat(100_000), key: { id: '3EB0', remoteJid: MARINA } })).toEqual(NOTHING);
    expect(
      of({ small: { a: [1, '}', { b: '\\"' }] }, key: { id: '3EB0', remoteJid: MARINA } }),
    ).toMatchObject({ message: '3EB0' });
  });
});
