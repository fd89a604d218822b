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
   * Hash: `bytes` of all bodies, `born`, the id of the first entry ever, `trimmed`, that of the last one dropped, and
   * `last`, that of the newest. It outlives the stream: who saw the last event of a quiet instance missed nothing.
   */
  readonly meta: string;
}

/** @param instance undefined: the stream of all instances */
export function streamKeys(prefix: string, instance: string | undefined): StreamKeys {
  const scope = instance === undefined ? 'global' : `instance/${instance}`;
  return { stream: `{${prefix}}:websocket:${scope}`, meta: `{${prefix}}:websocket-meta:${scope}` };
}

/** What is known of an event besides its body. */
export interface Head {
  readonly deliveryId: string;
  readonly event: string;
}

export function encodeHead({ deliveryId, event }: Head): string {
  return JSON.stringify([deliveryId, event]);
}

export function decodeHead(text: string): Head {
  const [deliveryId = '', event = ''] = JSON.parse(text) as string[];
  return { deliveryId, event };
}

/** What is published: the entry's id, a space, the head, a line break, the body. */
export interface Published extends Head {
  readonly id: string;
  readonly body: Buffer;
}

export function decodePublished(message: Buffer): Published {
  const space = message.indexOf(' ');
  const lineBreak = message.indexOf('\n');
  return {
    id: message.toString('latin1', 0, space),
    ...decodeHead(message.toString('utf8', space + 1, lineBreak)),
    body: message.subarray(lineBreak + 1),
  };
}

/** How long it is known of a stream that has expired where it ended. */
const REMEMBERED_MS = 7 * 86_400_000;

/**
 * Adds an event, drops what is too old or too much, the oldest first, and tells the gateways. The newest always stays.
 * KEYS: stream, meta. ARGV: head, body, longest age in ms, most events, most bytes.
 */
const APPEND = `
  local id = redis.call('XADD', KEYS[1], '*', 'h', ARGV[1], 'b', ARGV[2])
  local bytes = redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[2])
  local length = redis.call('XLEN', KEYS[1])
  if length == 1 then
    local last = redis.call('HGET', KEYS[2], 'last')
    redis.call('HSET', KEYS[2], 'bytes', #ARGV[2], last and 'trimmed' or 'born', last or id)
    bytes = #ARGV[2]
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
  redis.call('PUBLISH', KEYS[1], id .. ' ' .. ARGV[1] .. '\\n' .. ARGV[2])
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
