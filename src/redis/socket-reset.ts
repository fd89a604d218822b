import type { Socket } from 'node:net';

/**
 * Closes a connection with a reset. While its own end is under way libuv refuses that, and Node.js then forgets the socket without
 * closing it: its descriptor stays for as long as the process lives. Where that may be so it is closed without one; nothing of
 * this side is left to be sent then.
 */
export function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (isEnding) socket.destroy();
  else socket.resetAndDestroy();
}
