import type { RelayRedis } from './relay-redis';

/** One call of a script, made once however often it is sent. */
export interface OnceCall {
  readonly script: string;
  readonly args: readonly unknown[];
  /** The delivery that the script adds, where it adds one. */
  readonly accepts?: AcceptedDelivery;
  /** Names this call among all of its process, until it is confirmed. */
  readonly number: number;
}

export interface AcceptedDelivery {
  readonly id: string;
  readonly destinationKey: string;
  readonly destination: string;
}

/** Keys that calls need beside those of their scripts. */
export interface OnceKeys {
  /** Hash of the numbers of calls that this process has sent and not seen confirmed. */
  readonly sent: string;
  readonly audit: string;
  readonly destinations: string;
  readonly jobKey: (id: string) => string;
}

/** What a call answers that did its work when it was sent before: what it said then is not known. */
export const DONE_BEFORE = 'relay: done before';

/**
 * Runs `lua` unless this very call ran before: its last key and argument are the hash of numbers and its number. A call
 * that fails gives its number back, so that it can be sent again. What `lua` finds in KEYS and ARGV is its own.
 */
function onceOnly(lua: string): string {
  return `
    local relaySent, relayNumber = table.remove(KEYS), table.remove(ARGV)
    if redis.call('HSETNX', relaySent, relayNumber, '') == 0 then return '${DONE_BEFORE}' end
    local function relayRun()
      ${lua}
    end
    local relayOk, relayResult = pcall(relayRun)
    if relayOk then return relayResult end
    redis.call('HDEL', relaySent, relayNumber)
    if type(relayResult) == 'table' then return relayResult end
    return redis.error_reply(relayResult)`;
}

/**
 * Counts the delivery as accepted where `lua` stored it just now: its count and its job come together or not at all.
 * Behind the keys and arguments of `lua`: job, audit hash, destinations hash; destination key, destination.
 */
function accepting(lua: string): string {
  return `
    local relayNames, relayAudit, relayJob = table.remove(KEYS), table.remove(KEYS), table.remove(KEYS)
    local relayName, relayKey = table.remove(ARGV), table.remove(ARGV)
    local relayKnown = redis.call('EXISTS', relayJob) == 1
    local function relayAdd()
      ${lua}
    end
    local relayAdded = relayAdd()
    if not relayKnown and redis.call('EXISTS', relayJob) == 1 then
      redis.call('HINCRBY', relayAudit, relayKey .. ':accepted', 1)
      redis.call('HSETNX', relayNames, relayKey, relayName)
    end
    return relayAdded`;
}

/** A call as it is sent: a script by its name on this connection, keys and arguments. */
export interface SentCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Makes the variant of a script that runs once known to the connection, and gives it what it needs. */
export function onceCall(redis: RelayRedis, call: OnceCall, keys: OnceKeys): SentCall {
  const { script, args, accepts, number } = call;
  const { lua, numberOfKeys = 0, frees = false } = redis.definitionOf(script);
  const name = `${accepts === undefined ? 'once' : 'accept'}:${script}`;
  const acceptKeys = accepts === undefined ? [] : [keys.jobKey(accepts.id), keys.audit, keys.destinations];
  const acceptArgs = accepts === undefined ? [] : [accepts.destinationKey, accepts.destination];
  if (!redis.has(name)) {
    redis.defineCommand(name, {
      lua: onceOnly(accepts === undefined ? lua : accepting(lua)),
      numberOfKeys: numberOfKeys + acceptKeys.length + 1,
      frees,
    });
  }
  return {
    name,
    args: [
      ...args.slice(0, numberOfKeys),
      ...acceptKeys,
      keys.sent,
      ...args.slice(numberOfKeys),
      ...acceptArgs,
      number,
    ],
  };
}
