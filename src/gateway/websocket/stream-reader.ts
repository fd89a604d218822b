import type { Cluster, Redis } from 'ioredis';
import { decodeHead, type StreamKeys } from '../../destinations/websocket/stream';
import { BEGINNING, compareIds, type StreamId } from './stream-id';
import { StreamMessage } from './stream-message';

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

  /** Id of the newest entry there ever was. */
  async end({ meta }: StreamKeys): Promise<StreamId> {
    return (await this.redis.hget(meta, 'last')) ?? BEGINNING;
  }

  /**
   * What the stream still has of what came after `position`: everything; only the newer part; or nothing that is
   * known to belong to it, as it was forgotten, or is another one.
   */
  async reachOf({ stream, meta }: StreamKeys, position: StreamId): Promise<Reach> {
    const [[born, trimmed, last], exists] = await Promise.all([
      this.redis.hmget(meta, 'born', 'trimmed', 'last'),
      this.redis.exists(stream),
    ]);
    const newest = last ?? BEGINNING;
    // Before the first entry there was none to miss.
    if (position === BEGINNING && newest === BEGINNING) return 'all';
    if (compareIds(position, newest) > 0) return 'nothing';
    // Of a stream that has expired nothing is left.
    const dropped = exists === 1 ? (trimmed ?? BEGINNING) : newest;
    const isBefore = position !== BEGINNING && compareIds(position, born ?? newest) < 0;
    return isBefore || compareIds(position, dropped) < 0 ? 'part' : 'all';
  }
}

function messageOf([id, [, head, , body]]: Entry): StreamMessage {
  return new StreamMessage({
    id: id.toString('latin1'),
    ...decodeHead(head?.toString('utf8') ?? '[]'),
    body: body ?? Buffer.from('{}'),
  });
}
