import fc from 'fast-check';
import { compareIds, isStreamId } from '../../../../src/gateway/websocket/stream-id';

const part = fc.nat({ max: 999_999_999_999_999 });

test('ids are ordered by time, then by number, and as numbers', () => {
  fc.assert(
    fc.property(part, part, part, part, (a, b, c, d) => {
      const expected = Math.sign(a - c || b - d);
      expect(Math.sign(compareIds(`${a}-${b}`, `${c}-${d}`))).toBe(expected);
      expect(isStreamId(`${a}-${b}`)).toBe(true);
    }),
  );
  expect(compareIds('9-10', '9-9')).toBeGreaterThan(0);
  expect(compareIds('10-0', '9-9')).toBeGreaterThan(0);
  expect(compareIds('7-7', '7-7')).toBe(0);
});

test.each([
  '',
  '$',
  '-',
  '+',
  '1',
  '1-',
  '-1',
  '1-1-1',
  ' 1-1',
  '1-1\n',
  '1.5-0',
  '(1-1',
  '٣-0',
  `${'9'.repeat(16)}-0`,
])('%j is no id', (text) => expect(isStreamId(text)).toBe(false));
