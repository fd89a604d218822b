import { levelOf } from '../../../src/observability/logging';

const OF_THE_CORE = ['ERROR', 'WARN', 'DEBUG', 'INFO', 'LOG', 'VERBOSE', 'DARK', 'WEBHOOKS', 'WEBSOCKET'];

describe('LOG_LEVEL', () => {
  test.each([
    [['debug'], 'debug'],
    [['DEBUG'], 'debug'],
    [['VERBOSE'], 'debug'],
    [['warn'], 'warn'],
    [['LOG'], 'info'],
    [['ERROR', 'WARN'], 'warn'],
    [['ERROR'], 'error'],
    [['ERROR', 'WEBHOOKS'], 'info'],
  ])('%j means %s', (levels, level) => {
    expect(levelOf(levels)).toBe(level);
  });

  test('the core API’s own example, which lists every word, does not switch debug on (finding 7.8)', () => {
    expect(levelOf(OF_THE_CORE)).toBe('info');
  });
});
