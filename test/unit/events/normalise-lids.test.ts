import fc from 'fast-check';
import type { Envelope } from '../../../src/events/envelope';
import { lidViewOf, type NumberOf, withNumbers } from '../../../src/events/normalise-lids';
import { envelopeOf, fixture, fixtureNames, goFixture, goFixtureNames } from '../../support/values/events';

const LID = '99887766554433';
const NUMBER = '5511988887777';
const LID_JID = `${LID}@lid`;
const NUMBER_JID = `${NUMBER}@s.whatsapp.net`;
const nobody: NumberOf = () => undefined;
const known: NumberOf = (lid) => (lid === LID ? NUMBER : undefined);

const eventWith = (data: string): Envelope =>
  envelopeOf(`{"extra":[1 , 2],"event":"x","instance":"i","data":${data},"sender":"s@lid" }`);

/** The text of `data`. */
function dataOf({ body, members }: Envelope): string {
  const { start, end } = members.get('data') ?? { start: 0, end: 0 };
  return body.toString('utf8', start, end);
}

const rewritten = (data: string, learned = nobody): string => dataOf(withNumbers(eventWith(data), learned));

type Case = readonly [what: string, data: object, becomes: object, learned?: NumberOf];

const CASES: readonly Case[] = [
  [
    'a chat that the key names by both (2.3.6)',
    { key: { remoteJid: LID_JID, remoteJidAlt: NUMBER_JID, fromMe: true, id: 'a' } },
    { key: { remoteJid: NUMBER_JID, remoteJidAlt: LID_JID, fromMe: true, id: 'a' } },
  ],
  [
    'a chat whose number is the sender (Baileys 6.7)',
    { key: { remoteJid: LID_JID, fromMe: false, id: 'a', senderPn: NUMBER_JID } },
    { key: { remoteJid: NUMBER_JID, remoteJidAlt: LID_JID, fromMe: false, id: 'a', senderPn: NUMBER_JID } },
  ],
  [
    'an own message, whose sender is somebody else than the chat',
    { key: { remoteJid: LID_JID, fromMe: true, id: 'a', senderPn: NUMBER_JID } },
    { key: { remoteJid: LID_JID, fromMe: true, id: 'a', senderPn: NUMBER_JID } },
  ],
  [
    'a member of a group',
    { key: { remoteJid: '1@g.us', participant: LID_JID, participantAlt: NUMBER_JID } },
    { key: { remoteJid: '1@g.us', participant: NUMBER_JID, participantAlt: LID_JID } },
  ],
  [
    'a member of a group by participantPn, and a quoted message of theirs',
    { key: { participant: LID_JID, participantPn: NUMBER_JID }, contextInfo: { participant: LID_JID } },
    {
      key: { participant: NUMBER_JID, participantAlt: LID_JID, participantPn: NUMBER_JID },
      contextInfo: { participant: NUMBER_JID, participantAlt: LID_JID },
    },
  ],
  [
    'rows of members, and who made the group',
    { owner: LID_JID, participants: [{ id: LID_JID, phoneNumber: NUMBER_JID, admin: null }] },
    {
      owner: NUMBER_JID,
      ownerAlt: LID_JID,
      participants: [{ id: NUMBER_JID, idAlt: LID_JID, phoneNumber: NUMBER_JID, admin: null }],
    },
  ],
  [
    'a chat of 2.4, which has the number and keeps the LID',
    [{ remoteJid: NUMBER_JID, remoteLid: LID_JID }],
    [{ remoteJid: NUMBER_JID, remoteLid: LID_JID }],
  ],
  [
    'a contact that names its LID as such',
    { id: LID_JID, lid: LID_JID, phoneNumber: NUMBER_JID },
    { id: NUMBER_JID, lid: LID_JID, phoneNumber: NUMBER_JID },
  ],
  [
    'evolution-go: sender and chat',
    { Info: { Chat: LID_JID, Sender: `${LID}:12@lid`, SenderAlt: NUMBER_JID } },
    { Info: { Chat: NUMBER_JID, ChatAlt: LID_JID, Sender: NUMBER_JID, SenderAlt: `${LID}:12@lid` } },
  ],
  ['somebody who is known from before', { from: LID_JID }, { from: NUMBER_JID, fromAlt: LID_JID }, known],
  ['an empty place beside it', { from: LID_JID, fromAlt: '' }, { from: NUMBER_JID, fromAlt: LID_JID }, known],
  ['somebody whom nobody knows', { from: LID_JID }, { from: LID_JID }],
  [
    'something else in the place beside it',
    { from: LID_JID, fromAlt: 'x' },
    { from: LID_JID, fromAlt: 'x' },
    known,
  ],
  [
    'two numbers in one event',
    {
      a: { from: LID_JID, fromAlt: NUMBER_JID },
      b: { from: LID_JID, fromAlt: '5511911112222@s.whatsapp.net' },
    },
    {
      a: { from: LID_JID, fromAlt: NUMBER_JID },
      b: { from: LID_JID, fromAlt: '5511911112222@s.whatsapp.net' },
    },
  ],
  [
    'another number than the one from before',
    { from: LID_JID, fromAlt: NUMBER_JID },
    { from: LID_JID, fromAlt: NUMBER_JID },
    () => '5511911112222',
  ],
  [
    'two numbers from before',
    { from: LID_JID, fromAlt: NUMBER_JID },
    { from: LID_JID, fromAlt: NUMBER_JID },
    () => 'conflict',
  ],
  ['mentions, as the text names them', { mentionedJid: [LID_JID] }, { mentionedJid: [LID_JID] }, known],
  ['names of members, not values', { [LID_JID]: { a: 1 } }, { [LID_JID]: { a: 1 } }, known],
  ['texts that mention a LID', { text: `write to ${LID_JID}` }, { text: `write to ${LID_JID}` }, known],
];

describe('LIDs', () => {
  for (const [what, data, becomes, learned = nobody] of CASES)
    test(what, () => expect(rewritten(JSON.stringify(data), learned)).toBe(JSON.stringify(becomes)));

  test('a depth that no event has stays as it came', () => {
    const deep = `${'['.repeat(300)}{"from":"${LID_JID}"}${']'.repeat(300)}`;
    expect(rewritten(deep, known)).toBe(deep);
  });

  test('a large event takes time by its length, not by its depth', () => {
    const nested = '{"a":'.repeat(200);
    const data = `[${`${nested}{"from":"${LID_JID}"}${'}'.repeat(200)},`.repeat(2000)}0]`;
    const startedAt = process.cpuUsage().user;
    expect(lidViewOf(eventWith(data)).objects).toHaveLength(2000);
    expect(process.cpuUsage().user - startedAt).toBeLessThan(10_000_000);
  });
});

const everyEvent = [
  ...fixtureNames().map((name) => [name, fixture(name)] as const),
  ...goFixtureNames().map((name) => [`evolution-go ${name}`, goFixture(name)] as const),
].flatMap(([name, body]) => {
  try {
    return [[name, envelopeOf(body)] as const];
  } catch {
    return [];
  }
});

describe.each(everyEvent)('%s', (_name, envelope) => {
  test('is the same event afterwards, and the same after twice as after once', () => {
    const once = withNumbers(envelope, known);
    expect(once.id).toBe(envelope.id);
    expect(withNumbers(once, known).body.toString()).toBe(once.body.toString());
    expect(() => JSON.parse(once.body.toString()) as unknown).not.toThrow();
  });

  test('names nobody by a LID whose number it says', () => {
    const { unknown, pairs } = lidViewOf(withNumbers(envelope, nobody));
    const numbers = new Map(pairs.map(({ lid, number }) => [lid, number]));
    expect(unknown.filter((lid) => numbers.has(lid))).toEqual([]);
  });
});

/** JSON text in pieces, each with what becomes of it. */
interface Piece {
  readonly was: string;
  readonly is: string;
}
const same = (text: string): Piece => ({ was: text, is: text });
const space = fc.constantFrom('', '', ' ', '\n\t ');
const ODD = ['1.50', '-0', '1E+2', '12345678901234567890', '"\\u00e9 \\"{\\"0\\":1}\\" \\\\"', '"a\\\\"'];
const NO_LIDS = [
  `"x${LID_JID}"`,
  `"${LID_JID} "`,
  `"${LID}@LID"`,
  '"@lid"',
  '"1@lid"',
  `"${LID}@hosted.lid"`,
  `["${LID_JID}"]`,
];
const scalar = fc
  .oneof(fc.json({ maxDepth: 0 }), fc.constantFrom(...ODD, ...NO_LIDS, '"44332211556677@lid"'))
  .map(same);

/** Members have names of their own, so that none stands beside another one. */
const { tree } = fc.letrec<{ tree: Piece }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.tuple(fc.array(tie('tree'), { maxLength: 4 }), space).map(([items, gap]) => ({
      was: `[${items.map(({ was }) => gap + was).join(`${gap},`)}]`,
      is: `[${items.map(({ is }) => gap + is).join(`${gap},`)}]`,
    })),
    fc
      .tuple(fc.array(fc.oneof(tie('tree'), fc.constant('lid' as const)), { maxLength: 4 }), space)
      .map(([values, gap]) => {
        const members = values.map((value, index): Piece => {
          const head = `${gap}"m${index}x"${gap}:${gap}`;
          const beside = `,"m${index}xAlt":"${LID_JID}"`;
          return value === 'lid'
            ? { was: `${head}"${LID_JID}"`, is: `${head}"${NUMBER_JID}"${beside}` }
            : { was: head + value.was, is: head + value.is };
        });
        return {
          was: `{${members.map(({ was }) => was).join(`${gap},`)}}`,
          is: `{${members.map(({ is }) => is).join(`${gap},`)}}`,
        };
      }),
  ),
}));

test('what is not asked for does not change to the byte, and twice is the same as once', () => {
  fc.assert(
    fc.property(tree, ({ was, is }) => {
      const once = withNumbers(eventWith(was), known);
      expect(dataOf(once)).toBe(is);
      expect(once.body.toString()).toBe(
        `{"extra":[1 , 2],"event":"x","instance":"i","data":${is},"sender":"s@lid" }`,
      );
      expect(withNumbers(once, known).body.toString()).toBe(once.body.toString());
    }),
    { numRuns: 500 },
  );
});

test('however somebody is named, twice is the same as once', () => {
  const names = [
    'remoteJid',
    'remoteJidAlt',
    'remoteLid',
    'participant',
    'participantPn',
    'participantAlt',
    'participantLid',
    'senderPn',
    'senderLid',
    'id',
    'jid',
    'lid',
    'phoneNumber',
  ];
  const value = fc.constantFrom(
    LID_JID,
    '44332211556677@lid',
    NUMBER_JID,
    '5511911112222@s.whatsapp.net',
    '1@g.us',
    '',
    null,
  );
  const row = fc
    .dictionary(fc.constantFrom(...names), value)
    .chain((object) =>
      fc
        .constantFrom(undefined, true, false)
        .map((fromMe) => (fromMe === undefined ? object : { ...object, fromMe })),
    );
  const learned = fc.constantFrom<NumberOf>(
    nobody,
    known,
    () => 'conflict',
    () => '5511911112222',
  );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 4 }), learned, (rows, numberOf) => {
      const once = withNumbers(eventWith(JSON.stringify(rows)), numberOf);
      expect(dataOf(withNumbers(once, numberOf))).toBe(dataOf(once));
    }),
    {
      numRuns: 3000,
      examples: [
        [
          [
            { remoteJid: '44332211556677@lid' },
            {
              remoteJid: '1@g.us',
              participant: LID_JID,
              participantLid: LID_JID,
              senderLid: '44332211556677@lid',
              fromMe: false,
            },
          ],
          known,
        ],
      ],
    },
  );
});

describe('an event that names very many people (kind 4: nothing that comes in holds up the process)', () => {
  const row = `{"remoteJid":"${LID_JID}","remoteJidAlt":"${NUMBER_JID}"}`;
  const wide = Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join(',');

  test('has their numbers up to 30,000 rows of two names', () => {
    const data = `[${Array.from({ length: 30_000 }, () => row).join(',')}]`;
    expect(rewritten(data)).not.toBe(data);
  });

  test.each([
    ['in rows', `[${Array.from({ length: 30_001 }, () => row).join(',')}]`],
    ['in one object that is very large', `{"remoteJid":"${LID_JID}","remoteJidAlt":"${NUMBER_JID}",${wide}}`],
  ])('stays as it came beyond that, %s', (_how, data) => {
    expect(rewritten(data)).toBe(data);
    expect(lidViewOf(eventWith(data)).pairs).toEqual([]);
  });
});
