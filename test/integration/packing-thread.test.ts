import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesOf } from '../../src/delivery-log/log-blocks';
import { SEGMENT_ROWS } from '../../src/delivery-log/log-columns';
import { type LogRecord, recordOf } from '../../src/delivery-log/log-record';
import type { PackedSegment } from '../../src/delivery-log/packed-segment';
import { RecordBatch } from '../../src/delivery-log/record-batch';
import { SegmentPacker } from '../../src/delivery-log/segment-packer';
import { newRecordOf } from '../support/values/message-keys';

/** Threads run what is built. */
const ENTRY = join(__dirname, '../../dist/delivery-log/packing-entry.js');

const RECORD: LogRecord = {
  what: 'delivered',
  id: 'dlv_abcdefghijklmnopqrstuv12345678',
  destination: 'webhook:global',
  instance: 'loja',
  event: 'messages.upsert',
  message: '',
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

function quickBatch(first: number): RecordBatch {
  const batch = new RecordBatch(() => 0);
  for (let row = 0; row < SEGMENT_ROWS; row++)
    batch.add(newRecordOf({ ...RECORD, message: `3EB0${first + row}` }));
  return batch;
}

async function messagesIn({ columns }: PackedSegment): Promise<(string | undefined)[]> {
  const lines = await linesOf(columns[columns.indexOf('lines') + 1] as Buffer);
  return Array.from({ length: lines.count }, (_, row) => recordOf(lines.at(row))?.message);
}

const messages = (first: number): string[] =>
  Array.from({ length: SEGMENT_ROWS }, (_, row) => `3EB0${first + row}`);

describe('records that come by the ten thousand a second', () => {
  let lost: unknown[];
  let packer: SegmentPacker;
  let folder: string;

  const start = (entry: string): void => {
    lost = [];
    packer = new SegmentPacker({ onThreadLost: (error) => lost.push(error), entry });
  };
  const program = (text: string): string => {
    const path = join(folder, 'entry.js');
    writeFileSync(path, text);
    return path;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'relay-packing-'));
  });
  afterEach(async () => {
    await packer.close();
    rmSync(folder, { recursive: true });
  });

  test('are packed on a thread of their own, each batch by itself', async () => {
    start(ENTRY);
    const firsts = [0, 1000, 2000, 3000];
    const segments = await Promise.all(firsts.map((first) => packer.pack(quickBatch(first))));
    expect(await Promise.all(segments.map(messagesIn))).toEqual(firsts.map(messages));
    expect(lost).toEqual([]);
    await packer.close();
    expect(await messagesIn(await packer.pack(quickBatch(4000)))).toEqual(messages(4000));
  });

  test.each([
    ['does not start', 'throw new Error("no such program")'],
    ['ends amid its work', "require('node:worker_threads').parentPort.once('message', () => process.exit())"],
    [
      'has no memory left',
      "require('node:worker_threads').parentPort.once('message', () => { const all = []; for (;;) all.push([...all]); })",
    ],
  ])('are packed on the main thread where that one %s, which is told once', async (_, text) => {
    start(program(text));
    const segments = await Promise.all([0, 1000].map((first) => packer.pack(quickBatch(first))));
    segments.push(await packer.pack(quickBatch(2000)));
    expect(await Promise.all(segments.map(messagesIn))).toEqual([0, 1000, 2000].map(messages));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatchObject({ code: 'THREAD_ENDED' });
  });
});
