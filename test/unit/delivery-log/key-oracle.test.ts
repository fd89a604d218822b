import {
  type Arbitrary,
  array,
  assert,
  constantFrom,
  letrec,
  object,
  oneof,
  property,
  string,
} from 'fast-check';
import { messageKeyOf } from '../../../src/delivery-log/message-key';
import { envelopeOf } from '../../support/values/events';

/** The words that say something, as docs/core-api.md and docs/evolution-go.md have them. */
const MESSAGE = ['keyId'];
const LISTS = ['MessageIDs'];
const ID = ['id', 'ID'];
const CHAT = ['remoteJid', 'Chat', 'chatId'];
const ALIAS = ['remoteJidAlt', 'senderPn', 'senderLid', 'SenderAlt', 'RecipientAlt'];
const INNER = ['key', 'Info'];
const NAMES = [
  ...MESSAGE,
  ...LISTS,
  ...ID,
  ...CHAT,
  ...ALIAS,
  ...INNER,
  'from',
  'message',
  'kex',
  'a"b',
  '😀',
];

interface Words {
  readonly message: string;
  readonly chat: string;
  readonly alias: string;
}

/** The slow way: everything is decoded, and each word is looked for by itself. */
function expected(data: unknown): Words {
  const first: unknown = Array.isArray(data) ? (data[0] ?? data) : data;
  if (typeof first === 'string') return { message: '', chat: first, alias: '' };
  if (!isObject(first)) return { message: '', chat: '', alias: '' };
  const inner = Object.entries(first).find(([name, value]) => INNER.includes(name) && isObject(value))?.[1];
  const members = Object.entries(isObject(inner) ? inner : first);
  const of = (names: readonly string[]): string =>
    members.map(([name, value]) => (names.includes(name) ? textOf(name, value) : '')).find(Boolean) ?? '';
  const [id, alias] = [of(ID), of(ALIAS)];
  const message = of([...MESSAGE, ...LISTS]);
  const chat = of(inner === undefined ? [...CHAT, 'from'] : CHAT);
  if (message !== '' || id === '') return { message, chat, alias };
  if (id.includes('@')) return { message, chat: chat || id, alias };
  return { message: chat !== '' || inner !== undefined ? id : '', chat, alias };
}

function textOf(name: string, value: unknown): string {
  const text: unknown = LISTS.includes(name) ? (Array.isArray(value) ? value[0] : undefined) : value;
  return typeof text === 'string' ? text : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text = oneof(
  string({ unit: 'binary', maxLength: 20 }),
  constantFrom('', '3EB0', '5511@s.whatsapp.net', '998@lid', '}', '\\"'),
);
const { data } = letrec((tie) => ({
  data: oneof({ maxDepth: 3 }, text, constantFrom(null, 0, -1.5e9, true, []), tie('list'), tie('object')),
  list: array(tie('data'), { maxLength: 3 }),
  object: object({
    key: constantFrom(...NAMES),
    values: [tie('data') as Arbitrary<unknown>],
    maxDepth: 1,
    maxKeys: 6,
  }),
})) as { data: Arbitrary<unknown> };

test('what an event is about is what its decoded data say, however that is written', () => {
  assert(
    property(
      data,
      constantFrom(undefined, '\t', '\r\n '),
      constantFrom('@', '\\u0040'),
      (value, space, at) => {
        const body = JSON.stringify({ event: 'x', instance: 'y', data: value }, undefined, space);
        const { message, chat, alias } = messageKeyOf(envelopeOf(body.replaceAll('@', at)));
        expect({ message, chat, alias }).toEqual(expected(value));
      },
    ),
    { numRuns: 2000 },
  );
});
