import type * as logBlocks from '../../../src/delivery-log/log-blocks';
import type { LogRecord } from '../../../src/delivery-log/log-record';
import type * as logSegment from '../../../src/delivery-log/log-segment';
import type * as rowFormat from '../../../src/delivery-log/row-format';
import { newRecordOf } from '../../support/values/message-keys';

interface Version {
  /** A block of these rows. */
  write(rows: readonly LogRecord[]): Buffer;
  read(block: Buffer): Promise<(LogRecord | undefined)[]>;
}

const RECORD: LogRecord = {
  ...{ what: 'delivered', id: 'evt_1', destination: 'webhook:instance/loja', instance: 'loja' },
  ...{ event: 'messages.upsert', at: 1_760_000_000_000, attempt: 1, durationMs: 20, status: 200 },
  ...{ code: '', answer: '', bytes: 1300, message: '3EB0', chat: '5511@s.whatsapp.net', alias: '' },
};
const NEW_NAME = 'an.event.of.later';
const NEW_SUFFIX = '@later';

/** This version, or one whose lists have grown. */
function version(grown: Partial<Pick<typeof rowFormat, 'COMMON_NAMES' | 'SUFFIXES'>> = {}): Version {
  const path = '../../../src/delivery-log/row-format';
  let parts: (typeof logBlocks & typeof logSegment) | undefined;
  jest.isolateModules(() => {
    jest.doMock(path, () => ({ ...jest.requireActual<typeof rowFormat>(path), ...grown }));
    parts = {
      ...jest.requireActual<typeof logBlocks>('../../../src/delivery-log/log-blocks'),
      ...jest.requireActual<typeof logSegment>('../../../src/delivery-log/log-segment'),
    };
    jest.dontMock(path);
  });
  if (parts === undefined) throw new Error('the version could not be loaded');
  const { LogSegment, storedRows } = parts;
  return {
    write(rows) {
      const segment = new LogSegment();
      for (const row of rows) segment.add(newRecordOf(row));
      return segment.block();
    },
    async read(block) {
      const rows = await storedRows(block);
      return Array.from({ length: rows.count }, (_, row) => rows.at(row));
    },
  };
}

function grown<T extends readonly string[]>(list: T, added: string): T {
  return [...list, added] as unknown as T;
}

const { COMMON_NAMES, SUFFIXES } = jest.requireActual<typeof rowFormat>(
  '../../../src/delivery-log/row-format',
);

describe('a list that a later version has grown', () => {
  const now = version();
  const later = {
    names: version({ COMMON_NAMES: grown<typeof COMMON_NAMES>(COMMON_NAMES, NEW_NAME) }),
    suffixes: version({ SUFFIXES: grown<typeof SUFFIXES>(SUFFIXES, NEW_SUFFIX) }),
  };

  test.each(['names', 'suffixes'] as const)('%s: it reads what this version wrote', async (list) => {
    expect(await later[list].read(now.write([RECORD]))).toEqual([RECORD]);
    const rows = [{ ...RECORD, event: NEW_NAME, chat: `5511${NEW_SUFFIX}` }];
    expect(await later[list].read(now.write(rows))).toEqual(rows);
    expect(await later[list].read(later[list].write(rows))).toEqual(rows);
  });

  test('names: this version leaves out what it cannot read, as it knows no places of theirs', async () => {
    expect(await now.read(later.names.write([{ ...RECORD, event: NEW_NAME }]))).toEqual([]);
  });

  test('suffixes: this version leaves out the rows of one that it does not know', async () => {
    const other = { ...RECORD, chat: `5511${NEW_SUFFIX}` };
    expect(await now.read(later.suffixes.write([RECORD, other, RECORD]))).toEqual([
      RECORD,
      undefined,
      RECORD,
    ]);
  });
});
