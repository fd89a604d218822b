import { CATALOGUE, filterKey } from './catalogue';
import { GO_CATALOGUE, GO_CATEGORIES } from './go-catalogue';
import { mostAlike } from './nearest-name';

const KEYS = [
  ...CATALOGUE.flatMap(({ key, otherKeys = [] }) => [key, ...otherKeys]),
  ...GO_CATEGORIES,
  ...GO_CATALOGUE.map(({ event }) => event.toUpperCase()),
];
/** No key is nearly as long. */
const MAX_LENGTH = 60;

/** The catalogue's key that is written most like `name`: for messages about misspelt names. */
export function nearestEvent(name: string): string {
  return mostAlike(filterKey(name.slice(0, MAX_LENGTH)), KEYS)?.name ?? name;
}
