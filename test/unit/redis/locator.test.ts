import { mostNamed } from '../../../src/redis/locator';

const [a, b] = [
  { host: '10.0.0.1', port: 6379 },
  { host: '10.0.0.2', port: 6379 },
];

test.each([
  ['nobody knows', [], undefined],
  ['one answers', [a], a],
  ['one has an old view', [a, b, { ...b }], b],
  ['one against one: the first', [a, b], a],
])('where writes go: %s', (_what, named, expected) => {
  expect(mostNamed(named)).toEqual(expected);
});
