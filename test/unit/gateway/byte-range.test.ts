import { rangeOf } from '../../../src/gateway/routes/byte-range';

test.each([
  [undefined, 10, 'whole'],
  ['bytes=0-4', 10, '0-4'],
  ['bytes=5-', 10, '5-9'],
  ['bytes=-3', 10, '7-9'],
  ['bytes=-30', 10, '0-9'],
  ['bytes=9-100', 10, '9-9'],
  ['bytes=10-', 10, 'none'],
  ['bytes=-0', 10, 'none'],
  ['bytes=0-0', 0, 'none'],
  ['bytes=5-4', 10, 'whole'],
  ['bytes=0-1,3-4', 10, 'whole'],
  ['bytes=-', 10, 'whole'],
  ['items=0-1', 10, 'whole'],
  ['bytes=a-b', 10, 'whole'],
  [`bytes=${'9'.repeat(400)}-`, 10, 'whole'],
])('Range: %s of %i bytes', (header, length, expected) => {
  const range = rangeOf(header, length);
  expect(range.kind === 'part' ? `${range.first}-${range.last}` : range.kind).toBe(expected);
});
