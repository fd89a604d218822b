import { Writable } from 'node:stream';
import fc from 'fast-check';
import { table } from '../../../src/cli/table';
import { LogOutput } from '../../../src/observability/log-output';
import { createLogger } from '../../../src/observability/logging';
import { printable, printableLines } from '../../../src/observability/printable';

/** Not made of the ranges that the code is made of. */
const BAD =
  /[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff\u00ad\u200b\u2060-\u2064\u3164\u{e0000}-\u{e007f}]/u;

/** Any code units, and more of those that do harm than chance would bring. */
const evil = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\x1b[2J',
        '\r',
        '\n',
        '\x9b',
        '\u202e',
        '\u2066',
        '\u2028',
        '\ufeff',
        '\u200b',
        '\u200d',
        '\ufe0f',
        '\u{e0041}',
        '\ud800',
        '\udc00',
        '\x7f',
        '"',
        '\\',
        ' = ',
      ),
    ),
  )
  .map((parts) => parts.join(''));

/** Collects what is written to it. */
class Sink extends Writable {
  text = '';
  /** Set: what each write fails with. */
  failure: Error | undefined;
  writes = 0;

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.writes++;
    if (this.failure === undefined) this.text += String(chunk);
    done(this.failure);
  }

  /** As standard output, which goes on after an error. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
    (this as unknown as { _undestroy(): void })._undestroy();
  }
}

describe('what reaches a terminal, a text log or a table is escaped (finding 4.6)', () => {
  it('any text at all becomes one line without a character that does something', () => {
    fc.assert(
      fc.property(evil, (text) => {
        expect(printable(text)).not.toMatch(BAD);
        expect(printableLines(text).replaceAll('\n', '')).not.toMatch(BAD);
        expect(printableLines(text).split('\n').length).toBe(text.split('\n').length);
      }),
    );
  });

  it('text that does nothing stays as it is, other scripts and signs of several parts included', () => {
    for (const text of [
      'Olá, João',
      'مرحبا',
      '日本語',
      '👩‍👩‍👧 🏳️‍🌈',
      '❤️',
      'می\u200cخواهم',
      'क्\u200dष',
      'a"b\\c',
    ])
      expect(printable(text)).toBe(text);
  });

  it('a name that looks like another one shows what it has more', () => {
    const unseen = [...'\u00ad\u034f\u200b\u200c\u200d\u2060\u2064\u3164\ufe0f\uffa0\u{e0041}'];
    for (const character of unseen) {
      expect(printable(`loja${character}`)).toMatch(/^loja(?:\\u[0-9a-f]{4})+$/);
      expect(printable(`${character}loja`)).toMatch(/^(?:\\u[0-9a-f]{4})+loja$/);
    }
  });

  it('JSON stays the same JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(evil, evil), (value) => {
        expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
        expect(JSON.parse(printableLines(JSON.stringify(value, null, 2)))).toEqual(value);
      }),
    );
  });

  it('a table has one line for each row', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(evil, evil)), (rows) => {
        const text = table(['A', 'B'], rows);
        expect(text.split('\n')).toHaveLength(rows.length + 2);
        expect(text.replaceAll('\n', '')).not.toMatch(BAD);
      }),
    );
  });

  it.each(['json', 'text'] as const)('a log of the format %s has one line for each record', (format) => {
    fc.assert(
      fc.property(
        evil,
        evil,
        evil.filter((name) => !['level', 'message'].includes(name)),
        (message, value, name) => {
          const sink = new Sink();
          const log = createLogger({ levels: ['INFO'], color: false, format }, { stream: sink });
          log.info(message, { [name]: value, nested: { [name]: [value] }, error: value });
          expect(sink.text.endsWith('\n')).toBe(true);
          expect(sink.text.slice(0, -1)).not.toMatch(BAD);
          if (format === 'json') expect(JSON.parse(sink.text)).toMatchObject({ message, error: value });
        },
      ),
    );
  });
});

describe('a log that nobody takes (finding 3.14)', () => {
  let now: number;
  let dropped: number;
  let told: number[];
  let sink: Sink;
  let output: LogOutput;
  beforeEach(() => {
    now = 0;
    dropped = 0;
    told = [];
    sink = new Sink({ highWaterMark: 1 });
    output = new LogOutput({
      stream: sink,
      onDropped: () => dropped++,
      onRecovered: (lines) => told.push(lines),
      now: () => now,
    });
  });

  const ticks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it.each(['EPIPE', 'ENOSPC'])(
    '%s: lines are dropped and counted, tried again later, and it is told when they are taken',
    async (code) => {
      sink.failure = Object.assign(new Error(code), { code });
      output.write('one');
      await ticks();
      for (let index = 0; index < 100; index++) output.write('more');
      await ticks();
      expect([sink.writes, dropped, told]).toEqual([1, 101, []]);
      sink.failure = undefined;
      now += 1000;
      output.write('taken');
      await ticks();
      expect(told).toEqual([101]);
      expect(sink.text).toBe('taken\n');
    },
  );

  it('a reader that has stopped reading: what waits for it is bounded', async () => {
    let release = (): void => {};
    sink._write = (_chunk, _encoding, done) => {
      release = done;
    };
    const line = 'x'.repeat(1023);
    for (let index = 0; index < 5000; index++) output.write(line);
    expect(sink.writableLength).toBeLessThanOrEqual(1_048_576 + 1024);
    expect(dropped).toBe(5000 - 1025);
    sink._write = (_chunk, _encoding, done) => done();
    release();
    await ticks();
    expect(told).toEqual([dropped]);
  });
});
