import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { composeBody } from '../../../src/events/body';
import { parseEnvelope } from '../../../src/events/envelope';
import { codeOf } from '../../support/values/events';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a body that is made to cost more than an event may (finding 4.3)', () => {
  const MB = 1_048_576;
  const RUNS = 3;
  const origin = { routingKey: '' };
  const head = '"event":"messages.upsert","instance":"i","data":{}';

  /**
   * The least of a few runs, in bytes on the heap and beside it, what was allocated and is garbage by now included: it runs without a
   * pause, so that whatever else is allocated meanwhile is V8's own, which compiles what runs for the first time.
   */
  function bytesTakenBy(work: () => unknown): number {
    const memory = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const runs = Array.from({ length: RUNS }, () => {
      // Otherwise what others left behind goes away in the midst of it, and counts against what it takes.
      collect();
      const before = memory();
      work();
      return memory() - before;
    });
    return Math.min(...runs);
  }

  it('has at most 256 root keys, duplicates counted', () => {
    const withKeys = (count: number, name: (index: number) => string) =>
      Buffer.from(
        `{${head}${Array.from({ length: count - 3 }, (_, index) => `,"${name(index)}":1`).join('')}}`,
      );
    expect(codeOf(withKeys(256, (index) => `k${index}`))).toBeUndefined();
    expect(codeOf(withKeys(257, (index) => `k${index}`))).toBe('TOO_MANY_KEYS');
    expect(codeOf(withKeys(257, () => 'same'))).toBe('TOO_MANY_KEYS');
  });

  it('100 MB of root keys end at once, and take nothing', () => {
    const body = Buffer.concat([Buffer.from('{"a":1'), Buffer.alloc(100 * MB, ',"b":1'), Buffer.from('}')]);
    expect(bytesTakenBy(() => expect(codeOf(body)).toBe('TOO_MANY_KEYS'))).toBeLessThan(10 * MB);
  });

  it.each([
    ['event', `{"event":"${'e'.repeat(2000)}","instance":"i","data":{}}`, 'NAME_TOO_LONG'],
    ['instance', `{"event":"e","instance":"${'i'.repeat(2000)}","data":{}}`, 'NAME_TOO_LONG'],
    ['date_time', `{${head},"date_time":"${'0'.repeat(2000)}"}`, 'NAME_TOO_LONG'],
    ['a root key', `{${head},"${'k'.repeat(2000)}":1}`, 'KEY_TOO_LONG'],
  ])('%s has no more than a kilobyte', (_, text, code) => {
    expect(codeOf(Buffer.from(text))).toBe(code);
  });

  it.each([
    ['keys', 1.5, `${',"k":[]'.repeat(3 * MB)}`],
    ['members that are left out, each apart', 1.5, `${',"base64":1,"a":{}'.repeat(MB)}`],
    // Each costs a byte, in room that has grown by doubling, and a little beyond eight million.
    ['levels', 3.5, `,"deep":${'['.repeat(8 * MB)}${']'.repeat(8 * MB)}`],
  ])(
    'with millions of %s within data, takes no more than %d times its size, one of which is the copy that is sent',
    (_, times, bomb) => {
      const body = Buffer.from(`{"event":"e","instance":"i","data":{"message":{"x":1${bomb}}}}`);
      const bytes = bytesTakenBy(() =>
        composeBody(parseEnvelope(body, origin), {
          destination: Buffer.from('"https://example.com"'),
          stripApikey: false,
          omitFromData: ['message', 'base64'],
        }),
      );
      expect(bytes).toBeLessThan(body.length * times);
    },
  );
});
