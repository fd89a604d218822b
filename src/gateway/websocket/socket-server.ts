import { type ServerOptions, WebSocketServer } from 'ws';

/** Of ws since 8.19; its types do not know it yet. */
interface Options extends ServerOptions {
  readonly closeTimeout: number;
}

const CLOSE_TIMEOUT_MS = 2000;

/**
 * Both protocols' sockets. Who does not answer to a goodbye is left behind: ws itself waits thirty seconds, during
 * which what was not read stays in memory, and the gateway does not end. One message of a client a turn of the event loop:
 * thousands that come together let others in between.
 */
export class GatewaySocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    const impatient: Options = { ...options, closeTimeout: CLOSE_TIMEOUT_MS, allowSynchronousEvents: false };
    super(impatient);
  }
}
