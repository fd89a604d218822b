import { addingScript, readingScript, script } from './delivery-prelude';
import { LEAD } from './lead-prelude';

/** What was heard of instances, and what is known of them. Steps of time are those of Redis' clock. */
export const SILENCE_SCRIPTS = {
  /**
   * Adds what one worker heard lately to the present step, also where it heard nothing: without it, nobody listened.
   * ARGV: length of a step and how long it is kept, both in milliseconds; then, for each instance: its name, messages, other
   * events, its connection's state or nothing.
   */
  relayHeard: addingScript(`
    local key = P .. 'heard:' .. math.floor(NOW / tonumber(ARGV[5]))
    call('HSET', key, '-', 1)
    for i = 7, #ARGV, 4 do
      local instance = ARGV[i]
      if ARGV[i + 1] ~= '0' then call('HINCRBY', key, 'm' .. instance, ARGV[i + 1]) end
      if ARGV[i + 2] ~= '0' then call('HINCRBY', key, 'o' .. instance, ARGV[i + 2]) end
      if ARGV[i + 3] ~= '' then call('HSET', key, 'c' .. instance, ARGV[i + 3]) end
    end
    call('PEXPIRE', key, ARGV[6])
    return 1`),
  /** Some of what was heard in one step: the next cursor, fields and values. ARGV: number of the step, cursor. */
  relayHeardIn: readingScript(`return call('HSCAN', P .. 'heard:' .. ARGV[5], ARGV[6], 'COUNT', 1000)`),
  /**
   * Makes a worker the one that watches, or lets it stay so: the time, or -1 where it is another one. ARGV: worker, for how
   * long.
   */
  relayWatch: script(`${LEAD}
    return leads('watching', ARGV[5], ARGV[6]) and NOW or -1`),
  /** Some of the instances that are known: the next cursor, names and records. ARGV: cursor. */
  relayRhythms: readingScript(`return call('HSCAN', P .. 'rhythms', ARGV[5], 'COUNT', 200)`),
  /** What is known of one instance, and since when it is silent and why. ARGV: instance. */
  relayRhythm: readingScript(
    `return {call('HGET', P .. 'rhythms', ARGV[5]) or '', call('HGET', P .. 'silent', ARGV[5]) or ''}`,
  ),
  /** ARGV, for each instance: its name, its record, or nothing to forget it. */
  relayLearn: addingScript(`
    for i = 5, #ARGV, 2 do
      if ARGV[i + 1] ~= '' then call('HSET', P .. 'rhythms', ARGV[i], ARGV[i + 1])
      else
        call('HDEL', P .. 'rhythms', ARGV[i])
        call('HDEL', P .. 'silent', ARGV[i])
      end
    end
    return 1`),
  /** ARGV, for each instance: its name, since when and why it is silent, or nothing where it speaks again. */
  relaySilent: addingScript(`
    for i = 5, #ARGV, 2 do
      if ARGV[i + 1] ~= '' then call('HSET', P .. 'silent', ARGV[i], ARGV[i + 1])
      else call('HDEL', P .. 'silent', ARGV[i]) end
    end
    return 1`),
  /** How many are silent. */
  relaySilentCount: readingScript(`return call('HLEN', P .. 'silent')`),
  /** Some of the silent ones: the next cursor, names and records. ARGV: cursor. */
  relaySilentOnes: readingScript(`return call('HSCAN', P .. 'silent', ARGV[5], 'COUNT', 500)`),
} as const;
