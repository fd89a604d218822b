import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { noteRead } from '../../network/guarded-server';

/** Of ws since 8.19 and 8.21; its types do not know them yet. */
interface Options extends ServerOptions {
  readonly closeTimeout: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
}

const CLOSE_TIMEOUT_MS = 2000;
/** Pieces of one message, and of a frame that has not come to its end. Each takes a hundred bytes, however small it is. */
const MAX_PIECES = 256;

/**
 * The sockets of both protocols. Peers that do not answer the close frame are terminated early: by default ws waits thirty seconds,
 * during which unread bytes stay in memory and the gateway does not end. Each client gets one message per turn of the event loop, so
 * that thousands that arrive together do not hold up the others.
 */
export class GatewaySocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    const impatient: Options = {
      ...options,
      closeTimeout: CLOSE_TIMEOUT_MS,
      allowSynchronousEvents: false,
      maxFragments: MAX_PIECES,
      maxBufferedChunks: MAX_PIECES,
    };
    super(impatient);
  }

  override handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (client: WebSocket, request: IncomingMessage) => void,
  ): void {
    super.handleUpgrade(request, socket, head, (client, upgraded) => {
      socket.on('data', () => noteRead(socket));
      callback(client, upgraded);
    });
  }
}
