import { isDeepStrictEqual } from 'node:util';
import { hasSameOrigin, MASK, unmaskedUrl } from './masked-url';
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
  return unmaskSection({ ...amended, ...keptSecrets(was, amended, fields) }, was);
}

/** The core API's clients send an empty list with `enabled: false`. */
function isDisabling({ enabled, events }: Fields): boolean {
  return enabled === false && (events === undefined || (Array.isArray(events) && events.length === 0));
}

/** Stored secrets that the client did not name: masks, which only stand for them while they go to the same place. */
function keptSecrets(was: Fields, amended: Fields, fields: Fields): Fields {
  if (goesToSamePlace(amended, was)) return {};
  const kept = SECRETS.filter((name) => was[name] !== undefined && !(name in fields));
  return Object.fromEntries(kept.map((name) => [name, maskedValue(was[name])]));
}

function maskedValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return MASK;
  return Object.fromEntries(Object.keys(value).map((name) => [name, MASK]));
}

/** What is sent to, or proves something to, the place that a section leads to. */
const SECRETS = ['headers', 'secret'] as const;

/**
 * Puts stored values where masks stand in one section. Those for which nothing is stored stay, to be refused, and so do
 * all secrets where the section leads to another place than before: whoever may change an address must not have the
 * stored secrets sent there.
 */
export function unmaskSection(section: unknown, stored: unknown): unknown {
  if (!isFields(section)) return section;
  const was = isFields(stored) ? stored : {};
  const { url } = section;
  const given =
    typeof url === 'string' && typeof was['url'] === 'string'
      ? { ...section, url: unmaskedUrl(url, was['url']) }
      : section;
  if (!goesToSamePlace(given, was)) return given;
  return Object.fromEntries(
    Object.entries(given).map(([name, item]) => [name, unmaskValue(item, ownOf(was, name))]),
  );
}

/** The same for all sections of a document. */
export function unmask(document: object, stored: object | undefined): object {
  const was = (stored ?? {}) as Fields;
  return Object.fromEntries(
    Object.entries(document).map(([name, item]) => [
      name,
      name === 'webhooks'
        ? unmaskEach(item, ownOf(was, name))
        : unmaskItem(name === 'webhook' ? withPresentNames(item) : item, ownOf(was, name)),
    ]),
  );
}

function unmaskEach(webhooks: unknown, stored: unknown): unknown {
  if (!isFields(webhooks)) return webhooks;
  const was = isFields(stored) ? stored : {};
  return Object.fromEntries(
    Object.entries(webhooks).map(([name, item]) => [
      name,
      unmaskItem(withPresentNames(item), ownOf(was, name)),
    ]),
  );
}

/** A section, or the token. */
function unmaskItem(item: unknown, stored: unknown): unknown {
  return isFields(item) ? unmaskSection(item, stored) : unmaskValue(item, stored);
}

function unmaskValue(value: unknown, stored: unknown): unknown {
  if (value === MASK) return typeof stored === 'string' ? stored : MASK;
  // Headers.
  if (!isFields(value) || !isFields(stored)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const was = ownOf(stored, name);
      return [name, item === MASK && typeof was === 'string' ? was : item];
    }),
  );
}

/** A section without an address leads nowhere: the schema refuses it. */
function goesToSamePlace(section: Fields, was: Fields): boolean {
  const [before, now] = [was['url'], section['url']];
  if (typeof before === 'string' && typeof now === 'string') return hasSameOrigin(before, now);
  return !('appId' in was) || isDeepStrictEqual(pusherPlaceOf(section), pusherPlaceOf(was));
}

function pusherPlaceOf({ host, port, cluster = '', useTLS = true }: Fields): unknown[] {
  return [host, port, cluster, useTLS];
}

/** A webhook or a header may be called `constructor`, which every object has. */
function ownOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
