import { MASK } from './mask';
import { withPresentNames } from './schema';
import { withoutTimes } from './timestamps';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What a client gives for a section, over what is set: as in the core API, fields that it does not name stay, so that
 * clients which know only the core API's fields leave ours alone; null removes a field. A section that is disabled
 * keeps its events. A mask stands for the secret that is stored: what was found can be set again.
 */
export function amend(before: object | undefined, given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const was = (before ?? {}) as Fields;
  const fields = withPresentNames(withoutTimes(given)) as Fields;
  const amended = {
    ...was,
    updatedAt: undefined,
    ...fields,
    ...(isDisabling(fields) ? { events: was['events'] } : {}),
  };
  return unmask(amended, was);
}

/** The core API's clients send an empty list with `enabled: false`. */
function isDisabling({ enabled, events }: Fields): boolean {
  return enabled === false && (events === undefined || (Array.isArray(events) && events.length === 0));
}

/** Puts stored secrets where masks stand; one for which nothing is stored stays, to be refused. */
export function unmask(value: unknown, stored: unknown): unknown {
  if (value === MASK) return typeof stored === 'string' ? stored : MASK;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const was = typeof stored === 'object' && stored !== null ? (stored as Fields) : {};
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, unmask(item, was[name])]));
}
