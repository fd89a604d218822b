import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { AnswerError } from '../errors';

/**
 * Bytes of one head, from the status line to the blank line. It is undici's `maxHeaderSize`, too, which bounds names and
 * values alone, so that a head never reaches that: undici makes one error for each header beyond it, and reads on.
 */
export const MAX_HEAD = 32_768;
/** Lines of one head: each costs as much as a long one. */
const MAX_LINES = 256;
/** Interim answers (1xx) before the answer proper: some servers say every few seconds that they are still at it. */
const MAX_INTERIMS = 64;
/**
 * Bytes that undici's parser gets at once. It does not stop within one piece, although the connection is ended: what
 * follows, such as trailers beyond its bound, costs no more than a piece.
 */
const PIECE = 2048;

/** As far as `HTTP/1.1 200` goes. */
const STATUS_END = 12;
const STATUS_AT = 9;
const H = 0x48;
const ZERO = 0x30;
const ONE = 0x31;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface AnswerLimits {
  /** Bytes of one answer as they come: heads, interim answers, chunk sizes and extensions, body, trailers. */
  readonly maxBytes: number;
}

/** The connections of `connect`, on which no answer can be larger or stranger than a webhook's may be. */
export function boundAnswers(
  connect: buildConnector.connector,
  limits: AnswerLimits,
): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      // On failure undici leaves the second one out.
      if (result[0] === null) new AnswerBounds(result[1], limits);
      callback(...result);
    });
}

/**
 * Stands between a connection and undici's parser, which reads it by `read`. It passes on what it reads, but for interim
 * answers, which nobody asked for and undici takes for a failure; it ends the connection at the first bound that an
 * answer breaks. Each request begins with a `write`.
 */
class AnswerBounds {
  private phase: 'start' | 'interim' | 'head' | 'rest' = 'start';
  /** Bytes of the answer so far, and of its head. */
  private bytes = 0;
  private headBytes = 0;
  private lines = 0;
  /** Characters of the line so far. */
  private column = 0;
  private interims = 0;
  /** The beginning of a status line, before its status is known. */
  private held: Buffer | undefined;
  private readonly take: (size?: number) => Buffer | null;

  constructor(
    private readonly socket: Socket,
    private readonly limits: AnswerLimits,
  ) {
    this.take = socket.read.bind(socket);
    socket.read = (size?: number) => this.read(size);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]) => {
      this.begin();
      return write(...args);
    };
  }

  private begin(): void {
    this.phase = 'start';
    this.bytes = 0;
    this.interims = 0;
    this.held = undefined;
    this.beginHead();
  }

  private beginHead(): void {
    this.headBytes = 0;
    this.lines = 0;
    this.column = 0;
  }

  private read(size?: number): Buffer | null {
    for (;;) {
      const piece = this.socket.destroyed ? null : this.nextPiece(size);
      if (piece === null) return null;
      this.bytes += piece.length;
      if (this.bytes > this.limits.maxBytes)
        return this.refuse('ANSWER_TOO_LARGE', 'the answer is too large');
      const passed = this.phase === 'rest' ? piece : this.takeHead(piece);
      if (passed !== null) return passed;
    }
  }

  private nextPiece(size: number | undefined): Buffer | null {
    const chunk = this.take(size);
    if (chunk === null || chunk.length <= PIECE) return chunk;
    this.socket.unshift(chunk.subarray(PIECE));
    return chunk.subarray(0, PIECE);
  }

  /** What of `piece` goes on to the parser; null: nothing. */
  private takeHead(piece: Buffer): Buffer | null {
    let rest: Buffer | null = this.held === undefined ? piece : Buffer.concat([this.held, piece]);
    this.held = undefined;
    while (rest !== null && rest.length > 0) {
      if (this.phase === 'start' && rest.length < STATUS_END && rest[0] === H) {
        this.held = rest;
        return null;
      }
      if (this.phase === 'start') this.phase = this.phaseOf(rest);
      const end = this.endOfHead(rest);
      if (end === undefined) return null;
      if (this.phase === 'head') {
        if (end !== -1) this.phase = 'rest';
        return rest;
      }
      rest = end === -1 ? null : this.afterInterim(rest, end);
    }
    return null;
  }

  private afterInterim(bytes: Buffer, end: number): Buffer | null {
    if (++this.interims > MAX_INTERIMS)
      return this.refuse('TOO_MANY_INTERIM_ANSWERS', 'the interim answers do not end');
    this.phase = 'start';
    this.beginHead();
    return bytes.subarray(end);
  }

  /** An unasked 101 changes the protocol: undici refuses it. */
  private phaseOf(status: Buffer): 'interim' | 'head' {
    const [first, second, third] = status.subarray(STATUS_AT, STATUS_END);
    return first === ONE && !(second === ZERO && third === ONE) ? 'interim' : 'head';
  }

  /** Where the head ends, behind its blank line; -1 where that is still to come, undefined where it was refused. */
  private endOfHead(bytes: Buffer): number | undefined {
    let { column, lines } = this;
    let end = -1;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (byte === LINE_FEED) {
        if (column === 0) {
          end = index + 1;
          break;
        }
        lines++;
        column = 0;
      } else if (byte !== CARRIAGE_RETURN) column++;
    }
    this.column = column;
    this.lines = lines;
    this.headBytes += end === -1 ? bytes.length : end;
    if (lines <= MAX_LINES && this.headBytes <= MAX_HEAD) return end;
    this.refuse('ANSWER_HEAD_TOO_LARGE', 'the head of the answer is too large');
    return undefined;
  }

  private refuse(code: string, message: string): null {
    this.socket.destroy(new AnswerError(code, message));
    return null;
  }
}
