import type { Cluster, Redis } from 'ioredis';
import { decodeHead, type StreamKeys } from '../../destinations/websocket/stream';
import { StreamMessage } from './message';
import { BEGINNING, compareIds, type StreamId } from './stream-id';

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

export const PAGE = 50;

export type Reach = 'all' | 'part' | 'nothing';

/** Reads what a stream keeps. */
export class StreamReader {
  constructor(private readonly redis: Redis | Cluster) {}

  /** The first entries after `position`, at most PAGE. */
  async after({ stream }: StreamKeys, position: StreamId): Promise<StreamMessage[]> {
    const entries = await this.redis.xrangeBuffer(stream, `(${position}`, '+', 'COUNT', PAGE);
    return (entries as unknown as Entry[]).map(messageOf);
  }

  /** Id of the newest entry. */
  async end({ stream }: StreamKeys): Promise<StreamId> {
    const [entry] = await this.redis.xrevrange(stream, '+', '-', 'COUNT', 1);
    return entry?.[0] ?? BEGINNING;
  }

  /**
   * What the stream still has of what came after `position`: everything; only the newer part; or nothing that is
   * known to belong to it, as it was forgotten, or is another one.
   */
  async reachOf({ stream, meta }: StreamKeys, position: StreamId): Promise<Reach> {
    const [[born, trimmed, last], end] = await Promise.all([
      this.redis.hmget(meta, 'born', 'trimmed', 'last'),
      this.end({ stream, meta }),
    ]);
    const newest = last ?? end;
    if (born === undefined || born === null || compareIds(position, newest) > 0) return 'nothing';
    // Of a stream that has expired nothing is left.
    const dropped = end === BEGINNING ? newest : (trimmed ?? BEGINNING);
    return compareIds(position, born) < 0 || compareIds(position, dropped) < 0 ? 'part' : 'all';
  }
}

function messageOf([id, [, head, , body]]: Entry): StreamMessage {
  return new StreamMessage({
    id: id.toString('latin1'),
    ...decodeHead(head?.toString('utf8') ?? '[]'),
    body: body ?? Buffer.from('{}'),
  });
}
