import { bulkhead } from 'cockatiel';
import type { ReferenceKeys } from './link-secret';

/** Bytes that are read at once: nothing else waits for long behind them, and a slow reader holds no more of them. */
export const PIECE_BYTES = 262_144;
/** Pieces that are read at once, and those that may wait for that; further ones are refused. */
const READS = { atOnce: 4, waiting: 64 };

/** A piece of what is stored, and, with the first one, the length of the whole of it. */
export interface Piece {
  readonly bytes: Buffer;
  readonly length: number;
}

/** Reads what is stored piece by piece. Requests for the same piece at the same time share one reading. */
export class Pieces {
  private readonly places = bulkhead(READS.atOnce, Number.POSITIVE_INFINITY);
  private readonly underWay = new Map<string, Promise<Piece>>();

  constructor(private readonly redis: ReferenceKeys['redis']) {}

  /** What was begun goes on; nothing more should begin. */
  get isBusy(): boolean {
    return this.underWay.size >= READS.atOnce + READS.waiting;
  }

  read(key: string, number: number): Promise<Piece> {
    const name = `${number} ${key}`;
    const known = this.underWay.get(name);
    if (known !== undefined) return known;
    const reading = this.places
      .execute(() => this.ask(key, number * PIECE_BYTES))
      .finally(() => this.underWay.delete(name));
    this.underWay.set(name, reading);
    return reading;
  }

  private async ask(key: string, start: number): Promise<Piece> {
    const [bytes, length] = await Promise.all([
      this.redis.getrangeBuffer(key, start, start + PIECE_BYTES - 1),
      start === 0 ? this.redis.strlen(key) : 0,
    ]);
    return { bytes, length };
  }
}
