import { filterKey, findEvent, findKey } from './catalogue';
import type { EventFilter } from './filter';
import { EVERYTHING, findGoEvent, findGoName, GO_CATEGORIES } from './go-catalogue';

/**
 * The filter key of a name that somebody wrote into a list of events, or behind a switch: an event of either core as it is
 * on the wire, a subscription key of the core API, or a category of evolution-go. Some names mean something in both, such
 * as `CALL`: their key lets the events of both pass. `all` for every event, undefined for a name that neither core has.
 */
export function keyNamed(name: string): string | undefined {
  const exact = findEvent(name)?.key ?? findGoEvent(name)?.event;
  if (exact !== undefined) return exact;
  const upper = name.toUpperCase();
  if (upper === EVERYTHING) return ALL;
  return findKey(upper)?.key ?? (GO_CATEGORIES.includes(upper) ? upper : findGoName(name)?.event);
}

/** In place of a key: every event. No key is in lower case. */
export const ALL = 'all';

/** As `keyNamed`; a name that neither core has is an event that one of them may have gained since. */
export function keyMeant(name: string): string {
  return keyNamed(name) ?? filterKey(name);
}

/** The filter of a list of names. */
export function filterOfNames(names: Iterable<string>): EventFilter {
  const keys = new Set<string>();
  for (const name of names) keys.add(keyMeant(name));
  return keys.has(ALL) ? ALL : keys;
}
