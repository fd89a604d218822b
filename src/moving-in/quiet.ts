import { type Fields, isFields } from '../settings/section';

/** An event that can be subscribed to and is never emitted (docs/core-api.md#event-names). */
const NEVER = 'APPLICATION_STARTUP';

/** Events of a section that stays switched on and receives nothing. */
export const QUIET: readonly string[] = [NEVER];

export function isQuiet(fields: unknown): boolean {
  if (!isFields(fields) || fields['enabled'] === false) return false;
  const { events } = fields;
  return Array.isArray(events) && events.length === 1 && events[0] === NEVER;
}

/**
 * A section of the core that delivers nothing any more. The core puts media as base64 into the events of an instance, those
 * in the broker too, only while the instance's webhook is on with `base64`: that one stays on, for an event that never comes.
 */
export function silenced(fields: Fields): Fields {
  return fields['base64'] === true
    ? { ...fields, enabled: true, events: QUIET }
    : { ...fields, enabled: false, events: [] };
}
