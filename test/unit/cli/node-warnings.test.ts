import { logNodeWarnings } from '../../../src/cli/node-warnings';
import type { Logger } from '../../../src/observability/logging';

test('what a library writes by console.warn is a line of the log: plain text between JSON lines cannot be read', () => {
  const warn = console.warn;
  const warned: unknown[] = [];
  const log: Logger = {
    error: () => {},
    warn: (...line) => warned.push(line),
    info: () => {},
    debug: () => {},
    isDebug: false,
  };
  const listeners = process.listeners('warning');
  logNodeWarnings(log);
  console.warn('IMPORTANT! Eviction policy is %s', 'allkeys-lru');
  console.warn = warn;
  process.removeAllListeners('warning');
  for (const listener of listeners) process.on('warning', listener);
  expect(warned).toEqual([
    ['warning of Node.js or of a library', { message: 'IMPORTANT! Eviction policy is allkeys-lru' }],
  ]);
});
