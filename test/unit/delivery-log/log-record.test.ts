import { assert, constantFrom, integer, property, record, string } from 'fast-check';
import { chatFingerprint, fingerprint } from '../../../src/delivery-log/fingerprint';
import { blockOf, linesOf } from '../../../src/delivery-log/log-blocks';
import { columnsOf } from '../../../src/delivery-log/log-columns';
import { HAPPENINGS, recordOf } from '../../../src/delivery-log/log-record';
import { RowWriter, roomFor } from '../../../src/delivery-log/row-writer';
import { filterKey } from '../../../src/events/catalogue';
import { newRecordOf } from '../../support/values/message-keys';

const name = string({ unit: 'binary', maxLength: 40 });
const number = integer({ min: 0, max: 2 ** 31 });
const records = record({
  what: constantFrom(...HAPPENINGS),
  id: constantFrom('dlv_abcdefghijklmnopqrstuv12345678', 'evt_abcdefghijklmnopqrstuv'),
  destination: constantFrom('', 'webhook:global', 'webhook:instance/a%09b'),
  instance: name,
  event: name,
  message: name,
  chat: name,
  alias: name,
  at: integer({ min: 0, max: 2 ** 44 }),
  attempt: number,
  durationMs: number,
  status: number,
  code: name,
  answer: name,
  bytes: number,
});

describe('a record of the log', () => {
  test('comes back from its line, whatever its texts hold', () => {
    assert(
      property(records, (each) => {
        const { entry, key } = newRecordOf(each);
        const bytes = Buffer.alloc(roomFor(entry, key));
        const writer = new RowWriter(bytes, columnsOf(1));
        writer.write(0, entry, key);
        const line = bytes.toString('utf8', 0, writer.length);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(recordOf(line.slice(0, -1))).toEqual(each);
      }),
    );
  });

  test('is found by the fingerprints of its names, however its event writes them', () => {
    assert(
      property(records, (each) => {
        const { entry, key } = newRecordOf(each);
        const columns = columnsOf(1);
        new RowWriter(Buffer.alloc(roomFor(entry, key)), columns).write(0, entry, key);
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

  test('that no version of ours wrote is none', () => {
    expect(['', 'x', '0\t1', `99${'\t'.repeat(14)}`].map(recordOf)).toEqual(Array(4).fill(undefined));
  });

  test('lies in a block with others; a block that somebody wrote over ends what can be read', async () => {
    const textsOf = async (blocks: Buffer): Promise<string[]> => {
      const lines = await linesOf(blocks);
      return Array.from({ length: lines.count }, (_, row) => lines.at(row));
    };
    const [first, second] = [await blockOf(Buffer.from('a\nbü\n')), await blockOf(Buffer.from('c\n'))];
    expect(await textsOf(Buffer.concat([first, second]))).toEqual(['a', 'bü', 'c']);
    expect(await textsOf(Buffer.concat([first, Buffer.from([9, 0, 0, 0, 255, 255])]))).toEqual(['a', 'bü']);
    expect(await textsOf(Buffer.alloc(0))).toEqual([]);
    expect((await linesOf(first)).at(2)).toBe('');
    const many = Array.from({ length: 2000 }, (_, row) => `${row} ${fingerprint(String(row))}`);
    const large = await blockOf(Buffer.from(`${many.join('\n')}\n`));
    const alike = await blockOf(Buffer.from('x\n'.repeat(50_000)));
    expect(await textsOf(Buffer.concat([first, large, alike, second]))).toEqual([
      ...['a', 'bü', ...many],
      ...Array(50_000).fill('x'),
      'c',
    ]);
  });
});
