import { type Chat, chatOf } from '../../../src/events/chat';
import { envelopeOf } from '../../support/values/events';

const NUMBER = '5511988887777@s.whatsapp.net';
const LID = '99887766554433@lid';
const GROUP = '120363000000000001@g.us';

function chatIn(data: unknown): Chat | undefined {
  return chatOf(envelopeOf(JSON.stringify({ event: 'messages.upsert', instance: 'loja', data })));
}

describe('the chat of an event', () => {
  test.each([
    ['of a message', { key: { remoteJid: NUMBER, id: 'A' } }, { name: NUMBER }],
    [
      'of a message, with its LID',
      { key: { remoteJid: NUMBER, remoteJidAlt: LID } },
      { name: NUMBER, other: LID },
    ],
    [
      'of a message that comes under its LID',
      { key: { remoteJid: LID, remoteJidAlt: NUMBER } },
      { name: LID, other: NUMBER },
    ],
    [
      'as older libraries name it',
      { key: { remoteJid: LID, senderPn: NUMBER } },
      { name: LID, other: NUMBER },
    ],
    [
      'without the number of a device',
      { key: { remoteJid: '5511988887777:12@s.whatsapp.net' } },
      { name: NUMBER },
    ],
    [
      'both names of one kind are no pair',
      { key: { remoteJid: NUMBER, remoteJidAlt: NUMBER } },
      { name: NUMBER },
    ],
    [
      "a group is not its message's sender",
      { key: { remoteJid: GROUP, participant: LID, senderPn: NUMBER, remoteJidAlt: LID } },
      { name: GROUP },
    ],
    ['of an update', { keyId: 'A', remoteJid: NUMBER, id: 'X' }, { name: NUMBER }],
    ['of a call', { chatId: NUMBER, from: LID, id: 'CALL' }, { name: NUMBER }],
    ['of a message of evolution-go', { Info: { Chat: NUMBER, Sender: LID } }, { name: NUMBER }],
    ['of a receipt of evolution-go', { Chat: NUMBER, Sender: LID, MessageIDs: [] }, { name: NUMBER }],
    ['of presence', { id: NUMBER, presences: {} }, { name: NUMBER }],
  ])('is found: %s', (_what, data, chat) => {
    expect(chatIn(data)).toEqual(chat);
  });

  test.each([
    ['a list may be about several', [{ remoteJid: NUMBER }]],
    ['an id without a server names no chat', { id: '7', name: 'label' }],
    ['nothing', undefined],
    ['a text', 'x'],
    ['names that are none', { key: { remoteJid: 7 }, remoteJid: null, id: ['x@y'] }],
    ['a name that is too long', { remoteJid: `${'9'.repeat(300)}@lid` }],
    ['a state of the instance', { instance: 'loja', state: 'open' }],
  ])('is unknown: %s', (_what, data) => {
    expect(chatIn(data)).toBeUndefined();
  });
});
