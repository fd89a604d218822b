import { format } from 'node:util';
import type { Logger } from '../observability/logging';

/**
 * Writes what Node.js and libraries warn of into the log. Node.js itself writes them as plain text over several lines, which
 * whoever reads JSON lines cannot read; the AWS SDK does so on each start where it will soon want a later Node.js.
 */
export function logNodeWarnings(log: Logger): void {
  // Of Node.js, which prints.
  process.removeAllListeners('warning');
  // BullMQ speaks of the version and the memory policy of Redis so, on each start.
  console.warn = (...words: unknown[]) =>
    log.warn('warning of Node.js or of a library', { message: format(...words) });
  process.on('warning', ({ name, message }) =>
    log.warn('warning of Node.js or of a library', { name, message }),
  );
}
