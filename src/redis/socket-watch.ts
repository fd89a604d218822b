import type { Socket } from 'node:net';
import { RelayError } from '../errors';
import { monotonicMs } from '../time/monotonic';
import { Silence } from './silence';

/** Redis was asked and has not answered; the connection was given up. */
export class SilentConnectionError extends RelayError {
  constructor(limitMs: number) {
    super('REDIS_SILENT', `Redis has not answered for ${limitMs / 1000} s: the connection is made anew`);
  }
}

const LOOK_MS = 1000;

/**
 * Destroys a socket whose peer no longer answers, with all that waits in its buffers. Time in which this process did not
 * run does not count: answers may lie in the socket unread.
 */
export function watchSocket(socket: Socket, limitMs: number): void {
  const silence = new Silence(limitMs);
  let lookedAt = monotonicMs();
  const timer = setInterval(() => {
    const now = monotonicMs();
    const elapsedMs = Math.min(now - lookedAt, 2 * LOOK_MS);
    lookedAt = now;
    const traffic = {
      read: socket.bytesRead,
      written: socket.bytesWritten,
      unsent: socket.writableLength,
    };
    if (silence.observe(traffic, elapsedMs)) end(socket, new SilentConnectionError(limitMs));
  }, LOOK_MS);
  socket.once('close', () => clearInterval(timer));
}

/** With a reset, where there is no TLS: the system would go on trying to send for a quarter of an hour. */
function end(socket: Socket, error: Error): void {
  if (!('encrypted' in socket)) socket.resetAndDestroy();
  socket.destroy(error);
}
