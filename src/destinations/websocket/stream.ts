import type { Cluster, Redis } from 'ioredis';

/**
 * The streams by which events come from the workers to the gateways' WebSocket clients: one for all instances, one
 * for each. A stream keeps what clients that come back may have missed, and each addition is published under the
 * stream's key, so that gateways need not ask.
 */

export interface StreamKeys {
  /** Entries: `h`, the event's head, and `b`, its body. Also the name of the channel. */
  readonly stream: string;
  /**
   * Hash: `bytes` of all bodies, `born`, the id at which the stream began, `trimmed`, that of the last entry dropped, and
   * `last`, that of the newest. It outlives the stream: a client that saw the last event of a quiet instance missed
   * nothing. A stream with another `born` is another stream.
   */
  readonly meta: string;
}

/** @param instance undefined: the stream of all instances */
export function streamKeys(prefix: string, instance: string | undefined): StreamKeys {
  const scope = instance === undefined ? 'global' : `instance/${instance}`;
  return { stream: `{${prefix}}:websocket:${scope}`, meta: `{${prefix}}:websocket-meta:${scope}` };
}

/** Before every entry: what the first event of a stream follows. */
const BEGINNING = '0-0';

/** What is known of an event besides its body. */
export interface Head {
  readonly deliveryId: string;
  readonly event: string;
}

function encodeHead({ deliveryId, event }: Head): string {
  return JSON.stringify([deliveryId, event]);
}

export function decodeHead(text: string): Head {
  const [deliveryId = '', event = ''] = JSON.parse(text) as string[];
  return { deliveryId, event };
}

/**
 * What is published: the entry's id, a space, the head, a line break, the body. The head as it is published has two
 * members more: `previous`, the id of the entry before this one, and `born`, which names the stream. A gateway that
 * handed on another entry last, or one of another stream, knows that it has missed something.
 */
export interface Published extends Head {
  readonly id: string;
  /** Undefined: published by a worker of an earlier version. */
  readonly previous: string | undefined;
  /** Undefined likewise, and where it was read from the stream. */
  readonly born: string | undefined;
  readonly body: Buffer;
}

export function decodePublished(message: Buffer): Published {
  const space = message.indexOf(' ');
  const lineBreak = message.indexOf('\n');
  const head = JSON.parse(message.toString('utf8', space + 1, lineBreak)) as string[];
  const [deliveryId = '', event = '', previous, born] = head;
  return {
    id: message.toString('latin1', 0, space),
    deliveryId,
    event,
    previous,
    born,
    body: message.subarray(lineBreak + 1),
  };
}

/** How long it is known of a stream that has expired where it ended. */
const REMEMBERED_MS = 7 * 86_400_000;

/**
 * The next id of a stream. Ids never go back while a stream is known, whatever the clock does. The second number of an
 * id does not begin at 0 but at one that each stream draws at its birth, so that an id of another stream, or of the same
 * one in another Redis, is not taken for one of this stream although both were made in the same millisecond.
 */
export const NEXT_ID = `
  local function nextId(last, born)
    local time = redis.call('TIME')
    local ms = time[1] * 1000 + math.floor(time[2] / 1000)
    local number = born and tonumber(string.match(born, '%d+$')) or time[2] * 1000
    if last then
      local lastMs, lastNumber = string.match(last, '^(%d+)-(%d+)$')
      if tonumber(lastMs) >= ms then ms, number = tonumber(lastMs), tonumber(lastNumber) + 1 end
    end
    return string.format('%.0f-%.0f', ms, number)
  end`;

/**
 * Adds an event, drops what is too old or too much, the oldest first, and tells the gateways. The newest always stays.
 * A stream whose notes are lost is begun anew: nobody could say what it has dropped.
 * KEYS: stream, meta. ARGV: head, body, longest age in ms, most events, most bytes.
 */
const APPEND = `
  ${NEXT_ID}
  local known = redis.call('HMGET', KEYS[2], 'last', 'born')
  local last, born = known[1], known[2]
  if not last then
    redis.call('DEL', KEYS[1])
    born = false
  end
  local id = redis.call('XADD', KEYS[1], nextId(last, born), 'h', ARGV[1], 'b', ARGV[2])
  if not born then
    born = id
    redis.call('HSET', KEYS[2], 'born', born)
  end
  local bytes = redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[2])
  local length = redis.call('XLEN', KEYS[1])
  if length == 1 then
    bytes = #ARGV[2]
    redis.call('HSET', KEYS[2], 'bytes', bytes)
    if last then redis.call('HSET', KEYS[2], 'trimmed', last) end
  end
  redis.call('HSET', KEYS[2], 'last', id)
  local oldest = tonumber(string.match(id, '^%d+')) - tonumber(ARGV[3])
  while length > 1 do
    local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
    local age = tonumber(string.match(first[1], '^%d+'))
    if age >= oldest and length <= tonumber(ARGV[4]) and bytes <= tonumber(ARGV[5]) then break end
    redis.call('XDEL', KEYS[1], first[1])
    redis.call('HSET', KEYS[2], 'trimmed', first[1])
    bytes = redis.call('HINCRBY', KEYS[2], 'bytes', -#first[2][4])
    length = length - 1
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[3] + ${REMEMBERED_MS})
  local head = string.sub(ARGV[1], 1, -2) .. ',"' .. (last or '${BEGINNING}') .. '","' .. born .. '"]'
  redis.call('PUBLISH', KEYS[1], id .. ' ' .. head .. '\\n' .. ARGV[2])
  return id`;

/** What is kept of a stream. */
export interface Retention {
  readonly maxAgeMs: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
}

export type Append = (keys: StreamKeys, head: Head, body: Buffer, retention: Retention) => Promise<unknown>;

interface AppendCommand {
  relayAppend(...args: readonly (string | number | Buffer)[]): Promise<unknown>;
}

/** Adds to streams over this connection. */
export function createAppend(redis: Redis | Cluster): Append {
  redis.defineCommand('relayAppend', { numberOfKeys: 2, lua: APPEND });
  const client = redis as unknown as AppendCommand;
  return ({ stream, meta }, head, body, { maxAgeMs, maxEvents, maxBytes }) =>
    client.relayAppend(stream, meta, encodeHead(head), body, maxAgeMs, maxEvents, maxBytes);
}
