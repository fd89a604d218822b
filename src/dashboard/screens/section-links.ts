import { type Html, html, path } from '../html';
import type { Visit } from '../screen';
import { type ChosenSection, furtherIn, pathOfChosen, type SectionReader } from '../section-reader';
import { settingsFormTexts } from '../texts/settings-form-texts';
import { mayChange } from '../viewer';
import { INSTANCES_PATH } from './instances-screen';

export const SECTION_PATH = `${INSTANCES_PATH}/section`;
/** Of a name of a further one. */
const MAX_NAME = 64;

export function sectionPath(
  { instance, section, name }: ChosenSection,
  query: Readonly<Record<string, string>> = {},
): string {
  return path(SECTION_PATH, { instance, section: section.name, name, ...query });
}

/** The ways to all that may be set for an instance, what is set marked, and to a further one of a name. */
export async function sectionLinks(visit: Visit, reader: SectionReader, instance: string): Promise<Html> {
  const words = settingsFormTexts[visit.language];
  const read = await reader.read(visit.viewer, instance);
  if (read.kind === 'refused') return html``;
  const { document } = read;
  const items = reader.sections.flatMap((section) => {
    const names = [undefined, ...furtherIn(document, section).keys()];
    return names.map((name) => {
      const isSet = name !== undefined || document[section.name] !== undefined;
      const link = html`<a href="${sectionPath({ instance, section, name })}">${pathOfChosen({ section, name })}</a>`;
      return html`<li>${link}${!isSet && html` <small>${words.notSet}</small>`}</li>`;
    });
  });
  const further = reader.sections.filter(({ further: field }) => field !== undefined);
  const forms = further.map(
    ({ name, further: field }) => html`<form class="filter" method="get" action="${SECTION_PATH}">
<input type="hidden" name="instance" value="${instance}"><input type="hidden" name="section" value="${name}">
<label for="further-${name}">${words.further} (${field})</label>
<input id="further-${name}" name="name" required maxlength="${MAX_NAME}" autocapitalize="none" spellcheck="false">
<button>${words.open}</button></form>`,
  );
  return html`<h2>${words.sections}</h2><ul id="sections">${items}</ul>${mayChange(visit.viewer) && forms}`;
}
