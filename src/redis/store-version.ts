import { fromStore, StoreUnavailableError } from '../errors';
import type { RelayRedis } from './relay-redis';

/**
 * The form of everything under the prefix, as docs/upgrades.md lists it. It is raised where a program that knows only
 * earlier numbers would misread or harm what this one stores.
 */
export const STORE_VERSION = 1;

/** Where it is written. */
export function storeVersionKey(prefix: string): string {
  return `{${prefix}}:version`;
}

/** Answers which version it finds, and writes down its own where that is later. KEYS: where. ARGV: the program's version. */
export const VERSION_SCRIPT = {
  numberOfKeys: 1,
  lua: `
    local found = redis.call('GET', KEYS[1]) or '0'
    local number = tonumber(found)
    if number and number < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
    return found`,
} as const;

/** Reads the version and writes nothing: for a command, which may meet a Redis that takes no writes. @throws StoreUnavailableError where it is later than this program's, or cannot be read */
export async function checkStoreVersion(redis: RelayRedis, prefix: string): Promise<void> {
  const problem = problemOf(await fromStore(redis.get(storeVersionKey(prefix))));
  if (problem !== undefined) throw new StoreUnavailableError(problem);
}

/** As above, and writes it down where it is not there yet. Returns what is wrong. */
export async function writeStoreVersion(redis: RelayRedis, prefix: string): Promise<string | undefined> {
  const commands = redis as unknown as {
    relayVersion: (key: string, version: number) => Promise<string>;
  };
  return problemOf(await commands.relayVersion(storeVersionKey(prefix), STORE_VERSION));
}

/** Why this program leaves alone what lies there; undefined where it reads it. What is no number is of a form that it does not know. */
function problemOf(found: string | null): string | undefined {
  const number = Number(found ?? 0);
  if (number <= STORE_VERSION) return undefined;
  const version = Number.isNaN(number) ? 'version unknown' : `version ${number}`;
  return `a later version of the relay stored what lies under REDIS_PREFIX_KEY (${version}; this one reads up to ${STORE_VERSION}) and it is left alone: start that version of the relay, or set another REDIS_PREFIX_KEY`;
}
