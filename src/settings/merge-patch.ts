import { maskedValues } from './mask';
import { MASK, unmaskedUrl } from './masked-url';
import { type Fields, isFields, type Section, type Settings } from './section';
import type { Sections } from './sections';
import { readSlot } from './slot';
import { fieldsOfOff, switchesOff } from './switched-off';
import { withoutTimes } from './timestamps';

/**
 * What a client gives for a section, over what is set: as in the core API, fields that it does not name stay, so that
 * clients which know only the core API's fields leave ours alone; null removes a field. A section that is switched off
 * keeps what is set for it, whatever is empty or wrong in what the client gives beside that. A mask stands for the secret that is stored: what was found can be set again.
 */
export function amend(section: Section, before: object | undefined, given: unknown): unknown {
  if (!isFields(given)) return given;
  const was = (before ?? {}) as Fields;
  const named = section.withPresentNames(withoutTimes(given)) as Fields;
  const isOff = switchesOff(section.definition, named);
  const fields = isOff ? fieldsOfOff(section.definition, named) : named;
  const amended = {
    ...was,
    updatedAt: undefined,
    ...fields,
    ...(isOff && listsNone(fields) ? { events: was['events'] } : {}),
  };
  const unmasked = unmaskSection(
    section,
    { ...amended, ...keptSecrets(section, was, amended, fields) },
    was,
  ) as Fields;
  return isOff ? withoutMasks(unmasked, was) : unmasked;
}

/** The core API's clients send an empty list with `enabled: false`. */
function listsNone({ events }: Fields): boolean {
  return events === undefined || (Array.isArray(events) && events.length === 0);
}

/**
 * Masks that stand for nothing are no reason to leave something on. The address that they would have gone to is not taken
 * either: what is stored must not be sent there once it is switched on again.
 */
function withoutMasks(fields: Fields, was: Fields): Fields {
  const masked = Object.keys(fields).filter((name) => (JSON.stringify(fields[name]) ?? '').includes(MASK));
  if (masked.length === 0) return fields;
  if (Object.keys(was).length > 0) return { ...was, updatedAt: undefined, enabled: false };
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !masked.includes(name)));
}

/** Stored secrets that the client did not name: masks, which only stand for them while they go to the same place. */
function keptSecrets(section: Section, was: Fields, amended: Fields, fields: Fields): Fields {
  if (goesToSamePlace(section, amended, was)) return {};
  const kept = section
    .fieldsWith('text', 'values')
    .filter((name) => was[name] !== undefined && !(name in fields));
  return Object.fromEntries(kept.map((name) => [name, maskedValue(was[name])]));
}

function maskedValue(value: unknown): unknown {
  return isFields(value) ? maskedValues(value) : MASK;
}

/**
 * Puts stored values where masks stand in one section. Those for which nothing is stored stay, to be refused, and so do
 * all secrets where the section leads to another place than before: whoever may change an address must not have the
 * stored secrets sent there.
 */
function unmaskSection(section: Section, value: Fields, stored: unknown): unknown {
  const was = isFields(stored) ? stored : {};
  const given = { ...value, ...unmaskedAddresses(section, value, was) };
  if (!goesToSamePlace(section, given, was)) return given;
  return Object.fromEntries(
    Object.entries(given).map(([name, item]) => [name, unmaskValue(item, ownOf(was, name))]),
  );
}

function unmaskedAddresses(section: Section, value: Fields, was: Fields): Fields {
  const addresses = section.fieldsWith('address').flatMap((name) => {
    const [given, stored] = [value[name], was[name]];
    return typeof given === 'string' && typeof stored === 'string'
      ? [[name, unmaskedUrl(given, stored)]]
      : [];
  });
  return Object.fromEntries(addresses);
}

/** The same for a document: all sections, and the token. */
export function unmask(sections: Sections, document: object, stored: Settings | undefined): object {
  const unmasked = sections.map(document, (item, slot) => {
    const given = slot.section.hasOlderNames ? slot.section.withPresentNames(item) : item;
    const was = readSlot(stored, slot);
    return isFields(given) ? unmaskSection(slot.section, given, was) : unmaskValue(given, was);
  });
  return 'token' in unmasked ? { ...unmasked, token: unmaskValue(unmasked.token, stored?.token) } : unmasked;
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
function goesToSamePlace({ definition }: Section, value: Fields, was: Fields): boolean {
  return definition.isSamePlace?.(value, was) ?? true;
}

/** A webhook or a header may be called `constructor`, which every object has. */
function ownOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
