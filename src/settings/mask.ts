import { MASK, maskedUrl } from './masked-url';
import { type Fields, isFields, type SecretKind, type Section, type Settings } from './section';
import type { Sections } from './sections';

export { MASK };

/** Settings as they may be shown: secrets are write-only, and headers and addresses are where people put theirs. */
export function masked(sections: Sections, settings: Settings): Settings {
  return {
    ...sections.map(settings, (value, { section }) => maskedSection(section, value)),
    ...(settings.token === undefined ? {} : { token: MASK }),
  };
}

export function maskedSection<Value>(section: Section, value: Value): Value;
export function maskedSection(section: Section, value: unknown): unknown {
  if (!isFields(value)) return value;
  const { secrets = {} } = section.definition;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const kind = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      return [name, kind === undefined || item === undefined ? item : maskedField(kind, item)];
    }),
  );
}

function maskedField(kind: SecretKind, item: unknown): unknown {
  if (item === '') return item;
  if (kind === 'values' && isFields(item)) return maskedValues(item);
  return kind === 'address' && typeof item === 'string' ? maskedUrl(item) : MASK;
}

/** Every value, under the name that it has. */
export function maskedValues(values: Fields): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, MASK]));
}

/** Where masks stand for what is not stored, or not to be used again: `webhook.secret`, `webhook.url`. */
export function pathsOfMasks(sections: Sections, value: unknown, path: readonly string[] = []): string[] {
  if (typeof value === 'string') return isMasked(sections, value, path.at(-1)) ? [path.join('.')] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => pathsOfMasks(sections, item, [...path, name]));
}

/** A mask may stand for a part of an address. */
function isMasked(sections: Sections, text: string, field = ''): boolean {
  return text === MASK || (sections.addressFields.has(field) && text.includes(MASK));
}
