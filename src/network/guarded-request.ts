import { IncomingMessage } from 'node:http';

/**
 * What Node.js's parser finds. It parses a chunk that was read to its end, although the connection was ended meanwhile: that
 * may be thousands of requests, and as many pieces of bodies.
 *
 * Only WebSockets are upgraded to. Some clients offer HTTP/2 with each request (Java's does by default): a server may
 * ignore that (RFC 9110, section 7.8), but Node.js takes every offer once somebody listens for upgrades.
 */
export class GuardedRequest extends IncomingMessage {
  /** Called with the size of each piece of the body before it is read; returns whether anybody still needs it. */
  onPiece: ((bytes: number) => boolean) | undefined;
  private offer: boolean | null | undefined;
  private isUnwanted = false;

  /** Set by Node.js's parser, and asked by it. */
  get upgrade(): boolean | null | undefined {
    // The parser stops at what it thinks is another protocol.
    if (this.socket.destroyed) return true;
    const isTaken = this.method === 'CONNECT' || this.headers.upgrade?.toLowerCase() === 'websocket';
    return this.offer === true ? isTaken : this.offer;
  }

  set upgrade(offer: boolean | null | undefined) {
    this.offer = offer;
  }

  /**
   * Once a request is answered Node.js sets this, and hands over nothing more of its body. Pieces cost as much all the same,
   * so they are counted on, and dropped here.
   */
  get _dumped(): boolean {
    return false;
  }

  set _dumped(isUnwanted: boolean) {
    this.isUnwanted = isUnwanted;
  }

  override push(piece: unknown, encoding?: BufferEncoding): boolean {
    if (Buffer.isBuffer(piece) && (this.onPiece?.(piece.length) === false || this.isUnwanted)) return true;
    return super.push(piece, encoding);
  }
}
