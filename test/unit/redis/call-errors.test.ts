import { connectionError } from '../../../src/redis/call-errors';

test('a port that speaks another protocol is named, not the words of a library that ask for a report', () => {
  const cause = new Error('Unknown RESP type 65 "A". Please report this.');
  expect(connectionError(cause)).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: 'what answers there is not Redis',
    cause,
  });
});

test('an error that has a code stays as it is', () => {
  const error = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  expect(connectionError(error)).toBe(error);
});
