import type { Redis } from 'ioredis';
import { ALERT_SCRIPTS } from './alert-scripts';
import { DEAD_LETTER_SCRIPTS } from './dead-letter-scripts';
import { DELIVERY_SCRIPTS } from './delivery-scripts';
import { FLOW_SCRIPTS } from './flow-scripts';
import { HEALTH_SCRIPTS } from './health-scripts';
import { LEDGER_SCRIPTS } from './ledger-scripts';
import { LID_SCRIPTS } from './lid-scripts';
import { LOG_SCRIPTS } from './log-scripts';
import { ORDER_SCRIPTS } from './order-scripts';
import { PROBE } from './probe-script';
import { QUEUE_SCRIPTS } from './queue-scripts';
import { LEASE } from './rate-script';
import type { RelayRedis, ScriptDefinition } from './relay-redis';
import { REPLAY_SCRIPTS } from './replay-scripts';
import { SESSION_SCRIPTS } from './session-scripts';
import { SILENCE_SCRIPTS } from './silence-scripts';
import { VERSION_SCRIPT } from './store-version';
import { SUPERSEDE_SCRIPTS } from './supersede-script';
import { NO_LONGER } from './turn-prelude';

/** A connection to the Redis that takes writes, of whichever kind it is. */
export type RedisClient = Redis;

/** Those that begin with the arguments of `delivery-prelude.ts`. */
const STORED_SCRIPTS = {
  ...DELIVERY_SCRIPTS,
  ...QUEUE_SCRIPTS,
  ...DEAD_LETTER_SCRIPTS,
  ...HEALTH_SCRIPTS,
  ...FLOW_SCRIPTS,
  ...LEDGER_SCRIPTS,
  ...SILENCE_SCRIPTS,
  ...SESSION_SCRIPTS,
  ...SUPERSEDE_SCRIPTS,
  ...ORDER_SCRIPTS,
  ...ALERT_SCRIPTS,
  ...LID_SCRIPTS,
} as const;

/** Our own steps. A count changes within the script that changes the state which it counts. */
const SCRIPTS = {
  ...STORED_SCRIPTS,
  ...LOG_SCRIPTS,
  ...REPLAY_SCRIPTS,
  /**
   * Claims events for one worker: 0 it has the claim now, 1 the event was done before, 2 another one has it. It may
   * have it from a call whose answer was lost: it asks for an event that it works on no second time.
   * KEYS: what keys of events begin with. ARGV: worker, how long the claim lasts, ids of events.
   */
  relayClaim: {
    numberOfKeys: 1,
    lua: `
      ${NO_LONGER}
      local answers = {}
      for i = 3, #ARGV do
        local key = KEYS[1] .. ':' .. ARGV[i]
        local holder = redis.call('GET', key)
        if holder == '' then answers[i - 2] = 1
        elseif holder and holder ~= ARGV[1] then
          noLonger(key, ARGV[2])
          answers[i - 2] = 2
        else
          redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
          answers[i - 2] = 0
        end
      end
      return answers`,
  },
  /**
   * Events are done: whichever process holds a claim, further copies are seen. An empty text stands for that.
   * KEYS: what keys of events begin with. ARGV: how long that is remembered, ids of events.
   */
  relaySeen: {
    numberOfKeys: 1,
    lua: `
      for i = 2, #ARGV do redis.call('SET', KEYS[1] .. ':' .. ARGV[i], '', 'PX', ARGV[1]) end
      return 1`,
  },
  /** KEYS: what keys of events begin with. ARGV: worker, ids of events whose claims it gives up. */
  relayUnclaim: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      for i = 2, #ARGV do
        local key = KEYS[1] .. ':' .. ARGV[i]
        if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end
      end
      return 1`,
  },
  /** KEYS: what keys of events begin with. ARGV: worker, how long claims last from now on, ids of events. */
  relayRenew: {
    numberOfKeys: 1,
    frees: true,
    lua: `
      for i = 3, #ARGV do
        local key = KEYS[1] .. ':' .. ARGV[i]
        if redis.call('GET', key) == ARGV[1] then redis.call('PEXPIRE', key, ARGV[2]) end
      end
      return 1`,
  },
  relayLease: LEASE,
  relayProbe: PROBE,
  relayVersion: VERSION_SCRIPT,
} as const satisfies Readonly<Record<string, ScriptDefinition>>;

export type ScriptName = keyof typeof SCRIPTS;
export type StoredScriptName = keyof typeof STORED_SCRIPTS;

/** Makes the scripts known to a connection. */
export function defineScripts(redis: RelayRedis): void {
  for (const [name, script] of Object.entries(SCRIPTS)) {
    if (!redis.has(name)) redis.defineCommand(name, script);
  }
}
