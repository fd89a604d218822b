import { RelayError } from '../errors';
import { decompress } from '../events/compression';
import { baseOf, LinkSecret, type ReferenceKeys } from './link-secret';
import { headOf } from './packed-media';
import { PIECE_BYTES, type Piece, Pieces } from './pieces';
import { KINDS, type Link, type LinkFault, linkFault } from './signed-link';

/** It was dropped, or replaced, while it was read. */
class ReferenceGoneError extends RelayError {
  constructor() {
    super('REFERENCE_GONE', 'what is behind the link was removed while it was read');
  }
}

export interface StoredMedia {
  readonly mimetype: string;
  readonly length: number;
  /** Read as it is asked for. */
  bytes(first: number, last: number): AsyncIterable<Buffer>;
}

/** Undefined: it is kept no longer. `busy`: too much is being read. */
export type Found<T> = T | 'busy' | undefined;

/** Reads what is kept behind links. */
export class ReferenceReader {
  private readonly base: string;
  private readonly secret: LinkSecret;
  private readonly pieces: Pieces;
  /** Events that are being read: requests for the same one at the same time share the reading. */
  private readonly events = new Map<string, Promise<Buffer | undefined>>();

  constructor(parts: ReferenceKeys) {
    this.base = baseOf(parts);
    this.secret = new LinkSecret(parts);
    this.pieces = new Pieces(parts.redis);
  }

  async faultOf(link: Link, signature: string): Promise<LinkFault | undefined> {
    return linkFault(link, signature, await this.secret.read(), Date.now());
  }

  async event(id: string): Promise<Found<Buffer>> {
    const known = this.events.get(id);
    if (known === undefined && this.pieces.isBusy) return 'busy';
    const reading = known ?? this.readEvent(id).finally(() => this.events.delete(id));
    this.events.set(id, reading);
    return reading;
  }

  async media(id: string): Promise<Found<StoredMedia>> {
    if (this.pieces.isBusy) return 'busy';
    const key = `${this.base}:${KINDS.media}:${id}`;
    const piece = await this.pieces.read(key, 0);
    if (piece.length === 0) return this.mediaOfFirstRelease(id);
    const { mimetype, begin } = headOf(piece.bytes);
    return {
      mimetype,
      length: piece.length - begin,
      bytes: (first, last) => this.range(key, piece, begin + first, begin + last),
    };
  }

  /** 1.0.0 compressed media, and kept it with the events. */
  private async mediaOfFirstRelease(id: string): Promise<Found<StoredMedia>> {
    const stored = await this.event(id);
    if (stored === undefined || stored === 'busy') return stored;
    const { mimetype, begin } = headOf(stored);
    const bytes = stored.subarray(begin);
    return {
      mimetype,
      length: bytes.length,
      async *bytes(first, last) {
        yield bytes.subarray(first, last + 1);
      },
    };
  }

  private async readEvent(id: string): Promise<Buffer | undefined> {
    const key = `${this.base}:${KINDS.events}:${id}`;
    const first = await this.pieces.read(key, 0);
    if (first.length === 0) return undefined;
    const pieces: Buffer[] = [];
    for await (const piece of this.range(key, first, 0, first.length - 1)) pieces.push(piece);
    return decompress(Buffer.concat(pieces).toString('latin1'));
  }

  private async *range(key: string, first: Piece, start: number, end: number): AsyncIterable<Buffer> {
    for (let at = start; at <= end; ) {
      const number = Math.floor(at / PIECE_BYTES);
      const { bytes } = number === 0 ? first : await this.pieces.read(key, number);
      const from = at - number * PIECE_BYTES;
      const part = bytes.subarray(from, from + 1 + end - at);
      if (part.length === 0) throw new ReferenceGoneError();
      yield part;
      at += part.length;
    }
  }
}
