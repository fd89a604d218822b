import { CATALOGUE, filterKey, findKey } from './catalogue';
import { GO_CATALOGUE, GO_CATEGORIES } from './go-catalogue';
import { nearestName, suggestion } from './nearest-name';

const KEYS = [
  ...CATALOGUE.flatMap(({ key, otherKeys = [] }) => [key, ...otherKeys]),
  ...GO_CATEGORIES,
  ...GO_CATALOGUE.map(({ event }) => event.toUpperCase()),
];
/** No key is nearly as long. */
const MAX_LENGTH = 60;

/** The catalogue's key that was probably meant by `name`; undefined where none is near. */
export function nearestEvent(name: string): string | undefined {
  return nearestName(filterKey(name.slice(0, MAX_LENGTH)), KEYS);
}

/** Ends a sentence about an event that does not exist. */
export function didYouMeanEvent(name: string): string {
  const key = nearestEvent(name);
  if (key === undefined) return '; names are such as messages.upsert or MESSAGES_UPSERT';
  // In the spelling that it was written in.
  return suggestion(name.includes('.') ? (findKey(key)?.event ?? key) : key);
}
