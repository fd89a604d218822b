import { array, assert, constantFrom, integer, property, record, string } from 'fast-check';
import { linesOf } from '../../../src/delivery-log/log-blocks';
import { SEGMENT_ROWS } from '../../../src/delivery-log/log-columns';
import { HAPPENINGS, type LogRecord, recordOf } from '../../../src/delivery-log/log-record';
import { LogSegment } from '../../../src/delivery-log/log-segment';
import { packed, packedForOthers, received } from '../../../src/delivery-log/packed-segment';
import { RecordBatch } from '../../../src/delivery-log/record-batch';
import { newRecordOf } from '../../support/values/message-keys';

const name = string({ unit: 'binary', maxLength: 40 });
const few = constantFrom('', 'loja', 'messages.upsert', 'a"b', 'tab\there', 'ü');
const number = integer({ min: 0, max: 2 ** 31 });
const records = record({
  what: constantFrom(...HAPPENINGS),
  id: constantFrom('dlv_abcdefghijklmnopqrstuv12345678', 'evt_abc', 'q"u', 'ü', ''),
  destination: few,
  instance: few,
  event: few,
  message: name,
  chat: name,
  alias: name,
  at: integer({ min: 1_790_000_000_000, max: 1_790_000_900_000 }),
  attempt: number,
  durationMs: number,
  status: number,
  code: few,
  answer: name,
  bytes: number,
});

const RECORD: LogRecord = {
  what: 'delivered',
  id: 'dlv_abcdefghijklmnopqrstuv12345678',
  destination: 'webhook:global',
  instance: 'loja',
  event: 'messages.upsert',
  message: '3EB0',
  chat: '5511@s.whatsapp.net',
  alias: '',
  at: 1_790_000_000_000,
  attempt: 1,
  durationMs: 5,
  status: 200,
  code: '',
  answer: '',
  bytes: 500,
};

function batchOf(all: readonly LogRecord[], batch = new RecordBatch()): RecordBatch {
  for (const each of all) expect(batch.add(newRecordOf(each))).toBe(true);
  return batch;
}

function linesIn(batch: RecordBatch): (LogRecord | undefined)[] {
  const { lines } = new LogSegment(batch.contents);
  return lines.toString('utf8').split('\n').slice(0, -1).map(recordOf);
}

describe('a batch of records', () => {
  test('is read as it was noted, whatever its texts hold, and again after it was emptied', () => {
    const batch = new RecordBatch();
    assert(
      property(array(records, { maxLength: 20 }), (all) => {
        batch.clear();
        expect(linesIn(batchOf(all, batch))).toEqual(all);
      }),
    );
  });

  test('makes the same of it for another thread', async () => {
    const batch = batchOf(
      Array.from({ length: 300 }, (_, index) => ({ ...RECORD, message: `3EB0${index}` })),
    );
    const { columns, marks } = received(packedForOthers(batch.contents));
    const here = await packed(batch.contents);
    const lines = columns.indexOf('lines') + 1;
    const textOf = async (blocks: unknown) => (await linesOf(blocks as Buffer)).at(299);
    expect(columns.toSpliced(lines, 1)).toEqual(here.columns.toSpliced(lines, 1));
    expect(await textOf(columns[lines])).toBe(await textOf(here.columns[lines]));
    expect(marks).toEqual(here.marks);
  });

  test('takes no more rows than a segment has, and less of what is long: a block is read up to a megabyte', () => {
    const batch = batchOf(Array(SEGMENT_ROWS).fill(RECORD));
    expect(batch.add(newRecordOf(RECORD))).toBe(false);
    batch.clear();
    const long = { ...RECORD, answer: '\u0000'.repeat(256), chat: 'ü'.repeat(100) };
    while (batch.add(newRecordOf(long)));
    expect(batch.rows).toBeGreaterThan(50);
    expect(new LogSegment(batch.contents).lines.length).toBeLessThan(192 * 1024);
  });

  test('says where it filled at once: it is packed on another thread then', () => {
    const filledWithin = (ms: number, count = SEGMENT_ROWS): RecordBatch => {
      let now = 1000;
      const batch = new RecordBatch(() => now);
      batch.add(newRecordOf(RECORD));
      now += ms;
      return batchOf(Array(count - 1).fill(RECORD), batch);
    };
    expect(filledWithin(49).isQuick).toBe(true);
    expect(filledWithin(51).isQuick).toBe(false);
    expect(filledWithin(0, SEGMENT_ROWS - 1).isQuick).toBe(false);
    const again = filledWithin(0);
    again.clear();
    expect(batchOf([RECORD], again).isQuick).toBe(false);
  });
});
