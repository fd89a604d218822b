import { filterKey, findKey } from './catalogue';

/** Events that say how something is: a newer one makes the one before it needless. */
export const SUPERSEDABLE_EVENTS: readonly string[] = ['PRESENCE_UPDATE', 'CHATS_UPDATE', 'CONTACTS_UPDATE'];

/** @param name as it is written in lists of events */
export function supersedableKey(name: string): string | undefined {
  const key = findKey(name)?.key ?? filterKey(name);
  return SUPERSEDABLE_EVENTS.includes(key) ? key : undefined;
}
