import { bitsOf, summaryOf } from '../../../src/delivery-log/chunk-summary';
import { fingerprint } from '../../../src/delivery-log/fingerprint';
import type { LogRecord } from '../../../src/delivery-log/log-record';
import { SEGMENT_ROWS } from '../../../src/delivery-log/log-segment';
import type { ChunkWrite, LogSums, RedisMemory } from '../../../src/delivery-log/log-store';
import { LogWriter, type SkipReason } from '../../../src/delivery-log/log-writer';
import { type Deferred, deferred, eventually, turns } from '../../support/signals/signals';
import { notedOf } from '../../support/values/message-keys';

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
const FAILURE: LogRecord = { ...RECORD, what: 'failed', code: 'HTTP_500', status: 500 };

class FakeStore {
  isReady = true;
  readonly writes: ChunkWrite[] = [];
  readonly trims: (readonly [atMost: number, atLeast: number | undefined])[] = [];
  sums: LogSums = { rows: 0, bytes: 0 };
  usage: RedisMemory = { used: 0, max: 0 };
  gate: Deferred<void> | undefined;
  failure: Error | undefined;
  begun = 0;
  /** Of the calls, the one that fails. */
  failsAt: number | undefined;

  async write(write: ChunkWrite): Promise<LogSums> {
    if (++this.begun === this.failsAt) throw new Error('away');
    await this.gate?.promise;
    if (this.failure !== undefined) throw this.failure;
    this.writes.push(write);
    return this.sums;
  }

  async trim(_limits: unknown, atMost: number, atLeast?: number): Promise<number> {
    this.trims.push([atMost, atLeast]);
    return 0;
  }

  async memory(): Promise<RedisMemory> {
    return this.usage;
  }

  get rows(): number {
    return this.writes.reduce((sum, { rows }) => sum + rows, 0);
  }
}

describe('the writer of the delivery log', () => {
  let store: FakeStore;
  let writer: LogWriter;
  let skipped: Map<SkipReason, number>;

  beforeEach(() => {
    store = new FakeStore();
    skipped = new Map();
    writer = new LogWriter({
      limits: { maxAgeMs: 1e9, maxRows: 1000, maxBytes: 1e9 },
      onSkipped: (reason, count) => skipped.set(reason, (skipped.get(reason) ?? 0) + count),
      onError: () => {},
      flushMs: 1,
    });
  });
  afterEach(() => writer.close());

  const note = (record: LogRecord, count = 1): void => {
    for (let index = 0; index < count; index++) writer.note(notedOf(record));
  };

  test('writes records together, and adds to the same chunk until it is full', async () => {
    writer.open(store);
    note(RECORD, 3);
    await eventually(() => store.rows === 3 || undefined, 'three rows');
    note(RECORD, 2);
    await eventually(() => store.rows === 5 || undefined, 'five rows');
    note(RECORD, SEGMENT_ROWS);
    await writer.close();
    expect(store.rows).toBe(SEGMENT_ROWS + 5);
    const [first, second, third] = store.writes.map(({ chunk }) => chunk);
    expect([first === second, second === third]).toEqual([true, false]);
    expect(skipped.size).toBe(0);
  });

  test('writes full segments side by side, and no more than two: one answer for each would hold the log below a busy worker', async () => {
    store.gate = deferred();
    writer.open(store);
    note(RECORD, SEGMENT_ROWS * 7);
    await eventually(() => store.begun >= 2 || undefined, 'two at once');
    await turns();
    expect(store.begun).toBe(2);
    store.gate.resolve();
    await writer.close();
    expect(store.rows).toBe(SEGMENT_ROWS * 7);
    expect(new Set(store.writes.map(({ chunk }) => chunk)).size).toBe(7);
    expect(skipped.size).toBe(0);
  });

  test('keeps what comes while Redis is away, thins it when half of the room is used, and never grows beyond it', async () => {
    store.isReady = false;
    writer.open(store);
    note(RECORD, SEGMENT_ROWS * 40);
    expect([...skipped.keys()]).toEqual(['thinned']);
    const kept = SEGMENT_ROWS * 40 - (skipped.get('thinned') ?? 0);
    expect(kept).toBeGreaterThanOrEqual(SEGMENT_ROWS * 15);
    note(FAILURE, SEGMENT_ROWS * 40);
    expect(skipped.get('buffer-full')).toBeGreaterThan(0);
    store.isReady = true;
    await writer.close();
    const lost = [...skipped.values()].reduce((sum, count) => sum + count, 0);
    expect(store.rows + lost).toBe(SEGMENT_ROWS * 80);
    // Told with the next records.
    expect(store.writes[0]?.skipped).toBe(lost);
  });

  test('puts records of hours in which Redis was away into several chunks: they are chosen by their first record', async () => {
    store.isReady = false;
    writer.open(store);
    const minutes = (count: number): LogRecord => ({ ...RECORD, at: RECORD.at + count * 60_000 });
    for (const count of [0, 59, 10, 200, 230, 150]) note(minutes(count));
    store.isReady = true;
    await writer.close();
    expect(store.writes.map(({ from, to, rows }) => [(to - from) / 60_000, rows])).toEqual([
      [59, 3],
      [30, 2],
      [0, 1],
    ]);
    expect(new Set(store.writes.map(({ chunk }) => chunk)).size).toBe(3);
  });

  test('sums up all that a chunk holds with each write, once there is much of it', async () => {
    writer.open(store);
    note(RECORD, 200);
    await eventually(() => store.rows === 200 || undefined, 'the first rows');
    note({ ...RECORD, message: '3EB1' }, 200);
    await writer.close();
    const [few, all] = store.writes;
    expect([few?.chunk === all?.chunk, few?.summaries]).toEqual([true, []]);
    const place = all?.summaries.indexOf(summaryOf(['message'])) ?? -1;
    const summary = all?.summaries[place + 1] as Buffer;
    const isSet = (bit: number): boolean => ((summary[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
    const holds = (message: string): boolean => bitsOf(fingerprint(message)).every(isSet);
    expect(['3EB0', '3EB1', '3EB2'].map(holds)).toEqual([true, true, false]);
  });

  test('counts what a failed call may have lost, and adds nothing to its chunk any more', async () => {
    writer.open(store);
    note(RECORD);
    await eventually(() => store.writes.length > 0 || undefined, 'a write');
    store.failure = new Error('no answer');
    note(RECORD, 4);
    await eventually(() => skipped.get('redis') === 4 || undefined, 'the failure');
    store.failure = undefined;
    note(FAILURE);
    await writer.close();
    const [first, last] = store.writes;
    expect(last).toMatchObject({ rows: 1, skipped: 4 });
    expect(last?.chunk).not.toBe(first?.chunk);
  });

  test('takes records while calls hang', async () => {
    store.gate = deferred();
    writer.open(store);
    note(RECORD, SEGMENT_ROWS * 4);
    await eventually(() => store.begun === 2 || undefined, 'calls that hang');
    note(RECORD, SEGMENT_ROWS * 4);
    expect([store.rows, skipped.size]).toEqual([0, 0]);
    store.gate.resolve();
    await writer.close();
    expect(store.rows).toBe(SEGMENT_ROWS * 8);
  });

  test('counts what one of several calls may have lost, and what the others wrote is there', async () => {
    store.failsAt = 2;
    writer.open(store);
    note(RECORD, SEGMENT_ROWS * 4);
    await eventually(() => skipped.get('redis'), 'the failure');
    await writer.close();
    expect([store.rows, skipped.get('redis')]).toEqual([SEGMENT_ROWS * 3, SEGMENT_ROWS]);
  });

  test('stops where Redis has little memory left, and gives back what the log has', async () => {
    store.usage = { used: 95, max: 100 };
    writer.open(store);
    await eventually(
      () => store.trims.some(([, atLeast]) => (atLeast ?? 0) > 0) || undefined,
      'memory given back',
    );
    note(RECORD, 10);
    await writer.close();
    expect([store.rows, skipped.get('memory')]).toEqual([0, 10]);
  });

  test('removes what is beyond the limits once there is more', async () => {
    writer.open(store);
    await eventually(() => store.trims.length > 0 || undefined, 'the first look');
    store.sums = { rows: 1001, bytes: 5 };
    note(RECORD);
    await eventually(() => store.trims.length > 1 || undefined, 'the second one');
  });
});
