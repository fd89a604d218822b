import { IncomingMessage } from 'node:http';

/**
 * Only WebSockets are upgraded to. Some clients offer HTTP/2 with each request (Java's does by default): a server may
 * ignore that (RFC 9110, section 7.8), but Node.js takes every offer once somebody listens for upgrades.
 */
export class GuardedRequest extends IncomingMessage {
  private offer: boolean | null | undefined;

  /** Set by Node.js's parser, and asked by it. */
  get upgrade(): boolean | null | undefined {
    const isTaken = this.method === 'CONNECT' || this.headers.upgrade?.toLowerCase() === 'websocket';
    return this.offer === true ? isTaken : this.offer;
  }

  set upgrade(offer: boolean | null | undefined) {
    this.offer = offer;
  }
}
