import { isFields, type Section } from './section';

export interface NestedBody {
  readonly value: unknown;
  readonly warnings: readonly string[];
}

/**
 * A section as it stands nested in a body, without the names that the core API takes no notice of there. Clients that send
 * them are used to their having no effect: n8n's node sends `webhookByEvents`, and its users' addresses have no suffix.
 */
export function readAsNested(section: Section, value: unknown): NestedBody {
  const { flatOnly = [], olderNames = {} } = section.definition;
  if (!isFields(value)) return { value, warnings: [] };
  // What was found has them, and may be given back as it is.
  const isRow = 'instanceId' in value;
  const found = flatOnly.filter((name) => Object.hasOwn(value, name));
  if (found.length === 0) return { value, warnings: [] };
  return {
    value: Object.fromEntries(Object.entries(value).filter(([name]) => !found.includes(name))),
    warnings: isRow
      ? []
      : found.map(
          (name) =>
            `${section.name}.${name}: has no effect in a nested body, in the core API as here; ${olderNames[name]} has`,
        ),
  };
}
