import { deflateRawSync } from 'node:zlib';
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  string,
  stringMatching,
} from 'fast-check';
import { chatFingerprint, fingerprint } from '../../../src/delivery-log/fingerprint';
import { storedRows } from '../../../src/delivery-log/log-blocks';
import { columnsOf } from '../../../src/delivery-log/log-columns';
import { HAPPENINGS, type LogRecord } from '../../../src/delivery-log/log-record';
import { COMMON_NAMES, HEAD_BYTES, OWN_NAMES } from '../../../src/delivery-log/row-format';
import { RowWriter, roomFor } from '../../../src/delivery-log/row-writer';
import { filterKey } from '../../../src/events/catalogue';
import { newRecordOf } from '../../support/values/message-keys';

const name = string({ unit: 'binary', maxLength: 40 });
const number = integer({ min: 0, max: 2 ** 31 - 1 });
const id = stringMatching(/^[\w-]{0,40}$/);
const message = stringMatching(/^[0-9A-F]{0,40}$/);
const chat = stringMatching(
  /^\d{0,20}(:\d{1,2}|-\d{9})?(|@s\.whatsapp\.net|@lid|@g\.us|@newsletter|@c\.us|@broadcast|@x)$/,
);
const records = record({
  what: constantFrom(...HAPPENINGS),
  id: oneof(id, name),
  destination: constantFrom('', 'webhook:global', 'webhook:instance/a%09b'),
  instance: name,
  event: oneof(name, constantFrom('messages.upsert', 'call')),
  message: oneof(message, id, name),
  chat: oneof(chat, message, name),
  alias: oneof(chat, name),
  at: integer({ min: 0, max: 2 ** 44 }),
  attempt: number,
  durationMs: number,
  status: number,
  code: oneof(name, constantFrom('HTTP_503', '')),
  answer: name,
  bytes: number,
});

/** Of rows that are not far from each other, as those of a block are. */
const blocks = array(records, { minLength: 1, maxLength: 30 }).map((rows) => {
  const start = rows[0]?.at ?? 0;
  return rows.map((each, row) =>
    row === 0 ? each : { ...each, at: Math.max(0, start + (each.at % 7_200_000) - 3_600_000) },
  );
});

/** As a segment writes it, twice: what was written before must leave nothing behind. */
function packed(rows: readonly LogRecord[]): Buffer {
  const added = rows.map(newRecordOf);
  const room = added.reduce((sum, { entry, key }) => sum + roomFor(entry, key), HEAD_BYTES);
  const writer = new RowWriter(Buffer.alloc(room), columnsOf(rows.length));
  for (const { entry, key } of added) writer.write(entry, key);
  writer.clear();
  for (const { entry, key } of added) writer.write(entry, key);
  expect(writer.length).toBeLessThanOrEqual(room);
  const { length } = writer;
  const block = writer.finish();
  expect(block.length).toBe(length);
  return block;
}

async function recordsIn(stored: Buffer): Promise<(LogRecord | undefined)[]> {
  const rows = await storedRows(stored);
  return Array.from({ length: rows.count }, (_, row) => rows.at(row));
}

const WRITTEN =
  'XQAAgEoAAAAAbFDEoAEBAAEASAABAAEFyAH0A4EBAAECAwQFBgcICQoLDA0ODxAh12345678AUAEUj6wxDHCahkW4Ho2VRGYiId3cAE6mYh3ZlVEMwIhEGJ1c3kEbG9qYQ==';
/** Two blocks that 1.0.0 wrote. */
const RELEASED = Buffer.from(
  [
    'vAAAAI2TzQqCQBCAz9tThNBRmP3fPW5qEAQlXfeiEmaYC6XUpafpNbr5YqGJ0M+h2zCHmW9mvgF0bNL0LAuFMOJ91U4EY6LAXOLFPM+WQexWoYF1eDV7TCjjQqrP',
    'pqU7JH62q+qT+9k/YBQHRBissYhAmp5HK6WUlFJ+cmnd5YXgnDFKh8Hxi1TlBSKIAgCgTmLeBX/jjmtOZqBTtG3vbmq9TdKUznq2xl9CIEyACuozMhxi/J4359uH',
    '9W62mjwBNgAAADPhzC1NSiq2NCzmNIDC1LKSeEdHV2fH8kA3p/RkT+fAfB8XRwN/lwpOzgpIjHBycuahpnkuAA==',
  ].join(''),
  'base64',
);
const PLAIN: LogRecord = {
  what: 'delivered',
  id: 'AAECAwQFBgcICQoLDA0ODxAh12345678',
  destination: 'webhook:global',
  instance: 'loja-centro',
  event: 'messages.upsert',
  message: '3EB0C431C26A1916E07A',
  chat: '5511988887777@s.whatsapp.net',
  alias: '99887766554433@lid',
  at: 1_790_000_000_000,
  attempt: 1,
  durationMs: 5,
  status: 200,
  code: '',
  answer: '',
  bytes: 500,
};

describe('a record of the log', () => {
  test('comes back from its block, whatever its texts hold, and whatever others say', async () => {
    await assert(
      asyncProperty(blocks, async (rows) => {
        expect(await recordsIn(packed(rows))).toEqual(rows);
      }),
    );
  });

  test('is found by the fingerprints of its names, however its event writes them', () => {
    assert(
      property(records, (each) => {
        const { entry, key } = newRecordOf(each);
        const columns = columnsOf(1);
        new RowWriter(Buffer.alloc(HEAD_BYTES + roomFor(entry, key)), columns).write(entry, key);
        expect(Object.fromEntries(Object.entries(columns).map(([name, [print]]) => [name, print]))).toEqual({
          delivery: fingerprint(each.id),
          message: fingerprint(each.message),
          chat: chatFingerprint(each.chat),
          alias: chatFingerprint(each.alias),
          instance: fingerprint(each.instance),
          event: fingerprint(filterKey(each.event)),
          destination: fingerprint(each.destination),
          at: Math.floor(each.at / 1000) >>> 0,
        });
      }),
    );
  });

  test('takes seventy bytes where it says what most of them say', () => {
    const rows = Array.from({ length: 500 }, (_, row) => ({ ...PLAIN, at: PLAIN.at + row }));
    expect(packed(rows).length / rows.length).toBeLessThan(72);
  });

  test('is written and read as it always was: other versions read it, too', async () => {
    const record: LogRecord = {
      ...PLAIN,
      instance: 'loja',
      code: 'HTTP_503',
      answer: 'busy',
      what: 'failed',
    };
    expect(packed([record]).toString('base64')).toBe(WRITTEN);
    expect(await recordsIn(Buffer.from(WRITTEN, 'base64'))).toEqual([record]);
    // More common names must leave those of a block where they are.
    expect(COMMON_NAMES.length).toBeLessThanOrEqual(OWN_NAMES);
  });

  test('that 1.0.0 wrote is read', async () => {
    expect(await recordsIn(RELEASED)).toEqual([
      PLAIN,
      {
        what: 'failed',
        id: 'AAECAwQFBgcICQoLDA0ODxAh12345678',
        destination: 'webhook:instance/a%09b',
        instance: 'São "Paulo"\t1',
        event: 'presence.update',
        message: '',
        chat: '120363-42@g.us',
        alias: '',
        at: 1_790_000_001_234,
        attempt: 2,
        durationMs: 30_000,
        status: 503,
        code: 'HTTP_503',
        answer: '{"error":"ü"}\n',
        bytes: 5000,
      },
      {
        what: 'discarded',
        id: 'evt_AAECAwQFBgcICQoLDA0ODx',
        destination: '',
        instance: 'x',
        event: 'call',
        message: '',
        chat: '',
        alias: '',
        at: 1_790_000_002_000,
        attempt: 0,
        durationMs: 0,
        status: 0,
        code: 'no-destination',
        answer: '',
        bytes: 0,
      },
    ]);
  });

  test('lies beside others, in blocks of either version', async () => {
    const alike = Array.from({ length: 3 }, (_, row) => ({ ...PLAIN, at: PLAIN.at + row }));
    const stored = Buffer.concat([packed(alike), RELEASED, packed([PLAIN])]);
    const found = await recordsIn(stored);
    expect(found.map((each) => each?.at)).toEqual([
      ...alike.map(({ at }) => at),
      1_790_000_000_000,
      1_790_000_001_234,
      1_790_000_002_000,
      1_790_000_000_000,
    ]);
    expect((await storedRows(stored)).at(7)).toBeUndefined();
    expect(await recordsIn(Buffer.alloc(0))).toEqual([]);
  });

  test('of 1.0.0 with a text that nobody can read is left out, and the others are read', async () => {
    const lineOf = (instance: string): string => `0\tmi\t1\t1\t200\t1\tid\t\t${instance}\t\t\t\t\t\t\n`;
    const lines = deflateRawSync(['one', 'odd \\q', 'two'].map(lineOf).join(''));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(lines.length);
    const found = await recordsIn(Buffer.concat([length, lines]));
    expect(found.map((each) => each?.instance)).toEqual(['one', undefined, 'two']);
  });

  test('behind one that somebody wrote over is not read, and nothing else happens', async () => {
    const block = packed([PLAIN, { ...PLAIN, instance: 'ção' }]);
    for (const odd of [
      [9, 0, 0, 0, 255, 255],
      [9, 0, 0, 128, 255, 255],
      [255, 255, 255, 255],
    ])
      expect((await recordsIn(Buffer.concat([block, Buffer.from(odd), block]))).length).toBe(2);
    await assert(
      asyncProperty(nat(block.length - 1), nat(255), nat(block.length), async (place, byte, length) => {
        const odd = Buffer.from(block).subarray(0, length);
        odd[place] = byte;
        for (const each of await recordsIn(odd))
          if (each !== undefined) expect(typeof each.id).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });
});
