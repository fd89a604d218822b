import type { RelayRedis } from './relay-redis';

/** One call of a script, made once however often it is sent. */
export interface OnceCall {
  readonly script: string;
  readonly args: readonly unknown[];
  /** Names this call among all of its process, until it is confirmed. */
  readonly number: number;
}

/** What a call answers that did its work when it was sent before: what it said then is not known, unless it is kept. */
export const DONE_BEFORE = 'relay: done before';

/**
 * Runs `lua` unless this very call ran before: its last key and argument are the hash of numbers and its number. A call
 * that fails gives its number back, so that it can be sent again. What `lua` finds in KEYS and ARGV is its own. A list of which it
 * says so by a second result is kept with the number, and answered once more where the call is sent again.
 */
function onceOnly(lua: string): string {
  return `
    local relaySent, relayNumber = table.remove(KEYS), table.remove(ARGV)
    if redis.call('HSETNX', relaySent, relayNumber, '') == 0 then
      local relayKept = redis.call('HGET', relaySent, relayNumber)
      return relayKept == '' and '${DONE_BEFORE}' or cjson.decode(relayKept)
    end
    local function relayRun()
      ${lua}
    end
    local relayOk, relayResult, relayIsKept = pcall(relayRun)
    if relayOk and relayIsKept then redis.call('HSET', relaySent, relayNumber, cjson.encode(relayResult)) end
    if relayOk then return relayResult end
    redis.call('HDEL', relaySent, relayNumber)
    if type(relayResult) == 'table' then return relayResult end
    return redis.error_reply(relayResult)`;
}

/** A call as it is sent: a script by its name on this connection, keys and arguments. */
export interface SentCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

/**
 * Makes the variant of a script that runs once known to the connection, and gives it what it needs.
 *
 * @param sent hash of the numbers of calls that this process has sent and not seen confirmed
 */
export function onceCall(redis: RelayRedis, { script, args, number }: OnceCall, sent: string): SentCall {
  const { lua, numberOfKeys = 0, frees = false } = redis.definitionOf(script);
  const name = `once:${script}`;
  if (!redis.has(name))
    redis.defineCommand(name, { lua: onceOnly(lua), numberOfKeys: numberOfKeys + 1, frees });
  return { name, args: [...args.slice(0, numberOfKeys), sent, ...args.slice(numberOfKeys), number] };
}
