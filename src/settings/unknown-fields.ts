import { didYouMean } from '../events/nearest-name';
import { isFields, pathOf, type Section } from './section';
import type { Sections } from './sections';

/** The core API's rows hold these, too. */
const OF_ROWS = ['id', 'instanceId'];

/** What the core API takes beside sections when it makes an instance; the relay has no use for it. */
const OF_THE_CORE: ReadonlySet<string> = new Set([
  'instanceName',
  'instanceId',
  'token',
  'number',
  'businessId',
  'qrcode',
  'integration',
  'status',
  'ownerJid',
  'profileName',
  'profilePicUrl',
  'rejectCall',
  'msgCall',
  'groupsIgnore',
  'alwaysOnline',
  'readMessages',
  'readStatus',
  'syncFullHistory',
  'wavoipToken',
  'proxy',
  'settings',
  'nats',
  'kafka',
  'chatwoot',
  'typebot',
  'openai',
  'dify',
  'flowise',
  'n8n',
  'evolutionBot',
  'evoai',
  's3',
]);
/** The nearest name is looked for where it is shown only. */
const MAX_NAMED = 20;
/** Its flat names of the same kind: `proxyHost`, `chatwootUrl`. */
const OF_THE_CORE_FLAT = /^(proxy|chatwoot|typebot|openai|dify|flowise|nats|kafka|settings)[A-Z]/;

/**
 * Warnings about fields and sections that do not exist, each with the name that was probably meant. A misspelt one would
 * otherwise have no effect that anybody sees: `event` for `events` lets every event pass.
 */
export function unknownFields(sections: Sections, settings: object): string[] {
  const warnings: string[] = unknownSections(sections, settings);
  sections.map(settings, (value, slot) => {
    const known = namesOf(slot.section);
    const given = slot.section.withPresentNames(value);
    for (const field of isFields(given) ? Object.keys(given) : []) {
      if (known.includes(field)) continue;
      const meant = warnings.length < MAX_NAMED ? didYouMean(field, known) : '';
      warnings.push(`${pathOf(slot)}.${field}: no such field; it is left out${meant}`);
    }
    return value;
  });
  return warnings;
}

/** Why nothing of a document has an effect whose sections are misspelt; empty where one is known, whatever of the core stands beside it. */
export function namesNoSection(sections: Sections, settings: object): string[] {
  const known = sectionNames(sections);
  const isKnown = Object.keys(settings).some((name) => known.includes(name));
  return isKnown ? [] : unknownSections(sections, settings);
}

function sectionNames(sections: Sections): readonly string[] {
  return sections.list.flatMap(({ name, definition }) =>
    definition.named === undefined ? [name] : [name, definition.named.field],
  );
}

function unknownSections(sections: Sections, settings: object): string[] {
  const known = sectionNames(sections);
  return Object.keys(settings).flatMap((name, index) => {
    if (known.includes(name) || isOfTheCore(name)) return [];
    const nested = flatNameOf(sections.list, name);
    if (nested !== undefined)
      return [`${name}: flat names have no effect here, nor in the core API; write ${nested}`];
    const meant = index < MAX_NAMED ? didYouMean(name, [...known, 'instanceName', 'token']) : '';
    return [`${name}: no such section; it is left out${meant}`];
  });
}

/** Up to 1.8 it wrote them in snake case. */
function isOfTheCore(name: string): boolean {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return [name, camel].some((each) => OF_THE_CORE.has(each) || OF_THE_CORE_FLAT.test(each));
}

/** How a flat name of older documentation, such as `webhookUrl` or `rabbitmqEvents`, is written now. */
function flatNameOf(list: readonly Section[], flat: string): string | undefined {
  const lower = flat.toLowerCase().replaceAll('_', '');
  for (const section of list) {
    if (!lower.startsWith(section.name)) continue;
    const rest = lower.slice(section.name.length);
    const field = namesOf(section).find((name) => name.toLowerCase() === rest);
    if (field !== undefined) return `{"${section.name}": {"${field}": …}}`;
  }
  // In 1.x what stood beside `webhook` was the webhook's.
  const [first] = list.filter(({ definition }) => definition.named !== undefined);
  if (first === undefined) return undefined;
  const { olderNames = {}, fields } = first.definition;
  const bare = Object.hasOwn(olderNames, flat) ? olderNames[flat] : flat;
  return bare !== undefined && Object.hasOwn(fields.shape, bare) && !isFieldOfAll(bare)
    ? `{"${first.name}": {"${bare}": …}}`
    : undefined;
}

/** `enabled` beside sections may be meant for any of them. */
function isFieldOfAll(name: string): boolean {
  return ['enabled', 'createdAt', 'updatedAt'].includes(name);
}

function namesOf({ definition }: Section): string[] {
  return [...Object.keys(definition.fields.shape), ...OF_ROWS];
}
