import { badRequest } from '../http-api/http-errors';
import { boundedLines } from '../settings/bounds';
import { type NestedBody, readAsNested } from '../settings/nested-names';
import { type Fields, isFields, type Section } from '../settings/section';
import type { Sections } from '../settings/sections';

/** Bodies are nested, `{"webhook": {…}}`, or flat, as before 2.1 of the core API. */
export function sectionOf(body: unknown, section: Section): NestedBody {
  const { [section.name]: nested, ...flat } = objectOf(body);
  if (nested === undefined) return { value: flat, warnings: [] };
  const read = readAsNested(section, nested);
  const beside = Object.keys(flat).map(
    (name) => `${section.name}: ${name} stands beside it, where it has no effect; write it within`,
  );
  return { ...read, warnings: boundedLines([...read.warnings, ...beside]) };
}

/** What is given for a new instance, each section nested. */
export function documentOfNew(
  sections: Sections,
  given: Fields,
): { readonly document: Fields; readonly warnings: readonly string[] } {
  const filled = withoutEmpty(sections, given);
  const read = sections.list.flatMap((section) =>
    Object.hasOwn(filled, section.name)
      ? [[section.name, readAsNested(section, filled[section.name])] as const]
      : [],
  );
  return {
    document: { ...filled, ...Object.fromEntries(read.map(([name, { value }]) => [name, value])) },
    warnings: read.flatMap(([, { warnings }]) => warnings),
  };
}

/** The core API makes nothing of these when it makes an instance. */
function isNothing(value: unknown): boolean {
  return value === '' || value === false;
}

function withoutEmpty({ list }: Sections, given: Fields): Fields {
  const names = new Set(list.map(({ name }) => name));
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => !names.has(name) || !isNothing(value)),
  );
}

export function objectOf(body: unknown): Fields {
  if (isFields(body)) return { ...body };
  throw badRequest(['body: must be a JSON object, with content-type application/json']);
}
