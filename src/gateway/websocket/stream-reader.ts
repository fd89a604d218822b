import type { Cluster, Redis } from 'ioredis';
import { decodeHead, NEXT_ID, type StreamKeys } from '../../destinations/websocket/stream';
import type { StreamId } from './stream-id';
import { StreamMessage } from './stream-message';

/** A place in a stream, and which stream it is. */
export interface StreamPlace {
  readonly position: StreamId;
  /** Undefined: not known yet. */
  readonly born: string | undefined;
}

/** What is missing: everything after `lastEventId`, up to and including `resumedAfter`, may be lost. */
export interface Gap {
  readonly lastEventId: StreamId;
  readonly resumedAfter: StreamId;
}

/** What a stream has after a position. */
export interface Page {
  /** Which stream it was read from. */
  readonly born: string;
  /** Set where not everything after the position is there any more: what follows begins after `resumedAfter`. */
  readonly gap: Gap | undefined;
  /** Without holes among them. */
  readonly messages: readonly StreamMessage[];
  /** There may be more after these. */
  readonly isMore: boolean;
}

export interface StreamReader {
  /** Where a stream ends; from here on nothing will be missed. */
  end(keys: StreamKeys): Promise<StreamPlace>;
  after(keys: StreamKeys, position: StreamId): Promise<Page>;
  /** Where each of these streams ends; undefined: nothing is known of it. */
  ends(streams: readonly StreamKeys[]): Promise<(StreamId | undefined)[]>;
}

/** Of one page: enough for a round trip to be worth while, little enough to be held for many clients at once. */
const PAGE_EVENTS = 50;
const PAGE_BYTES = 262_144;
/**
 * How long the place is remembered at which a stream without any event would begin. Somebody who follows it renews that;
 * others may name any stream, so that it is not for long.
 */
const UNBORN_MS = 900_000;

/**
 * The end of a stream; one without any event is given a place to begin after, so that every client has an id which no
 * other stream has. Where Redis is full that is left out.
 * KEYS: meta. ARGV: how long an unborn stream is remembered.
 */
const END = `
  ${NEXT_ID}
  local known = redis.call('HMGET', KEYS[1], 'last', 'born')
  if known[1] then return {known[1], known[2] or ''} end
  local id = nextId(false, false)
  local set = redis.pcall('HSET', KEYS[1], 'born', id, 'last', id)
  if type(set) == 'table' then return {'0-0', ''} end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return {id, id}`;

/**
 * What follows a position, in one step with whether that is all that ever followed it. It is where the position is one
 * that this stream is known to have had: its end, an entry that is still there, or the last one that was dropped.
 * Everything else is a gap: an entry dropped earlier, or an id of another stream.
 * KEYS: stream, meta. ARGV: position, most entries, bytes after which no more are added.
 */
const AFTER = `
  local known = redis.call('HMGET', KEYS[2], 'last', 'born', 'trimmed')
  local last, born, trimmed = known[1] or '0-0', known[2] or '', known[3] or '0-0'
  local position = ARGV[1]
  local function isBefore(a, b)
    local aMs, aNumber = string.match(a, '^(%d+)-(%d+)$')
    local bMs, bNumber = string.match(b, '^(%d+)-(%d+)$')
    if aMs == bMs then return tonumber(aNumber) < tonumber(bNumber) end
    return tonumber(aMs) < tonumber(bMs)
  end
  if position == last then return {born, '', {}, 0} end
  local gap = ''
  local isThere = redis.call('EXISTS', KEYS[1]) == 1
  local isKnown = isThere and (position == trimmed or #redis.call('XRANGE', KEYS[1], position, position) > 0)
  if not isKnown then
    if not isThere or isBefore(last, position) then position = last
    elseif isBefore(position, trimmed) then position = trimmed end
    gap = position
  end
  local entries, bytes, isMore = {}, 0, 0
  while true do
    local entry = redis.call('XRANGE', KEYS[1], '(' .. position, '+', 'COUNT', 1)[1]
    if not entry then break end
    if #entries > 0 and (#entries >= tonumber(ARGV[2]) or bytes + #entry[2][4] > tonumber(ARGV[3])) then
      isMore = 1
      break
    end
    table.insert(entries, entry)
    bytes = bytes + #entry[2][4]
    position = entry[1]
  end
  return {born, gap, entries, isMore}`;

/**
 * Where streams end that somebody follows; what is known of them is kept meanwhile.
 * KEYS: metas. ARGV: for how long, in ms.
 */
const ENDS = `
  local ends = {}
  for i, key in ipairs(KEYS) do
    ends[i] = redis.call('HGET', key, 'last')
    if ends[i] and redis.call('PTTL', key) < tonumber(ARGV[1]) then redis.call('PEXPIRE', key, ARGV[1]) end
  end
  return ends`;

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

interface Commands {
  relayStreamEnd(meta: string, unbornMs: number): Promise<[position: string, born: string]>;
  relayStreamAfterBuffer(
    stream: string,
    meta: string,
    position: StreamId,
    events: number,
    bytes: number,
  ): Promise<[born: Buffer, gap: Buffer, entries: readonly Entry[], isMore: number]>;
  relayStreamEnds(count: number, ...args: readonly (string | number)[]): Promise<(string | null)[]>;
}

/** Reads what streams keep in Redis. */
export class RedisStreamReader implements StreamReader {
  private readonly commands: Commands;

  constructor(redis: Redis | Cluster) {
    redis.defineCommand('relayStreamEnd', { numberOfKeys: 1, lua: END });
    redis.defineCommand('relayStreamAfter', { numberOfKeys: 2, lua: AFTER });
    redis.defineCommand('relayStreamEnds', { lua: ENDS });
    this.commands = redis as unknown as Commands;
  }

  async end({ meta }: StreamKeys): Promise<StreamPlace> {
    const [position, born] = await this.commands.relayStreamEnd(meta, UNBORN_MS);
    return { position, born };
  }

  async after({ stream, meta }: StreamKeys, position: StreamId): Promise<Page> {
    const [born, gap, entries, isMore] = await this.commands.relayStreamAfterBuffer(
      stream,
      meta,
      position,
      PAGE_EVENTS,
      PAGE_BYTES,
    );
    const resumedAfter = gap.toString('latin1');
    const hasGap = resumedAfter !== '';
    return {
      born: born.toString('latin1'),
      gap: hasGap ? { lastEventId: position, resumedAfter } : undefined,
      messages: messagesOf(entries, hasGap ? resumedAfter : position),
      isMore: isMore === 1,
    };
  }

  async ends(streams: readonly StreamKeys[]): Promise<(StreamId | undefined)[]> {
    const metas = streams.map(({ meta }) => meta);
    const ends = await this.commands.relayStreamEnds(metas.length, ...metas, UNBORN_MS);
    return ends.map((end) => end ?? undefined);
  }
}

function messagesOf(entries: readonly Entry[], position: StreamId): StreamMessage[] {
  let previous = position;
  return entries.map(([id, [, head, , body]]) => {
    const message = new StreamMessage({
      id: id.toString('latin1'),
      ...decodeHead(head?.toString('utf8') ?? '[]'),
      previous,
      born: undefined,
      body: body ?? Buffer.from('{}'),
    });
    previous = message.id;
    return message;
  });
}
