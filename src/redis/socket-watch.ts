import type { Socket } from 'node:net';
import { RelayError } from '../errors';
import { monotonicMs } from '../time/monotonic';
import { Silence } from './silence';
import { resetSocket } from './socket-reset';

/** Redis was asked and has not answered; the connection was given up. */
export class SilentConnectionError extends RelayError {
  constructor(limitMs: number) {
    super('REDIS_SILENT', `Redis has not answered for ${limitMs / 1000} s: the connection is made anew`);
  }
}

export interface SocketWatchParts {
  /** A connection that owes an answer for longer is given up. */
  readonly silentMs: number;
  /** The server was silent for a while and speaks again: others may have taken its place meanwhile. */
  readonly onLate: () => void;
}

/**
 * Several looks make a late answer: while much is asked something is owed at every look, and one look would count that as
 * owed since the look before.
 */
const LOOK_MS = 250;
/** An answer that is owed for longer is late. */
const LATE_MS = 1000;

/**
 * Destroys a socket whose peer no longer answers, with all that waits in its buffers. Time in which this process did not
 * run does not count: answers may lie in the socket unread.
 */
export function watchSocket(socket: Socket, { silentMs, onLate }: SocketWatchParts): void {
  const silence = new Silence(silentMs);
  let lookedAt = monotonicMs();
  socket.on('data', () => {
    if (silence.hear(socket.bytesWritten) >= LATE_MS) onLate();
  });
  const timer = setInterval(() => {
    const now = monotonicMs();
    const elapsedMs = Math.min(now - lookedAt, 2 * LOOK_MS);
    lookedAt = now;
    const isSilent = silence.look(socket.bytesWritten, socket.writableLength, elapsedMs);
    if (isSilent) end(socket, new SilentConnectionError(silentMs));
  }, LOOK_MS);
  socket.once('close', () => clearInterval(timer));
}

/** With a reset, where there is no TLS: the system would go on trying to send for a quarter of an hour. */
function end(socket: Socket, error: Error): void {
  if ('encrypted' in socket) {
    socket.destroy(error);
    return;
  }
  // A reset takes no error: listeners would learn that the connection closed, and not why.
  if (socket.listenerCount('error') > 0) socket.emit('error', error);
  resetSocket(socket);
  socket.destroy();
}
