import { HttpError, notFound } from '../../http-api/http-errors';
import {
  changesOf,
  type FieldFault,
  type FieldTexts,
  formFieldsOf,
  printOf,
  textsOf,
  typedTexts,
} from '../form-fields';
import { type Html, html } from '../html';
import type { Language } from '../language';
import { noticeBox } from '../layout';
import type { Action, Done, Screen, View, Visit } from '../screen';
import { type ChosenSection, pathOfChosen, type SectionReader, valueIn } from '../section-reader';
import { instanceTexts } from '../texts/instance-texts';
import { settingsFormTexts } from '../texts/settings-form-texts';
import type { InstanceScreen } from './instance-screen';
import { INSTANCES_PATH, instancePath } from './instances-screen';
import { type FieldLine, sectionForm } from './section-form';
import { SECTION_PATH, sectionPath } from './section-links';

export interface SectionScreenParts {
  readonly reader: SectionReader;
  readonly instances: Pick<InstanceScreen, 'nameIn'>;
}

/** What a form leaves on the page: what to know of what was saved, or, where it was refused, what was typed. */
type FormState = { readonly kind: 'saved'; readonly notice: Html } | RefusedForm;

interface RefusedForm {
  readonly kind: 'refused';
  readonly texts: FieldTexts;
  readonly print: string;
  readonly problems: readonly FieldLine[];
  readonly notice: Html;
  readonly status: number;
}

/** One section of an instance's settings as a form, made of the section's own schema. */
export class SectionScreen implements Screen {
  readonly path = SECTION_PATH;
  readonly name = 'instances';
  readonly audience = 'everybody';

  constructor(private readonly parts: SectionScreenParts) {}

  show(visit: Visit): Promise<View> {
    const { instance, section, name } = visit.query;
    return this.view(visit, this.chosenIn(visit, { instance, section, name }));
  }

  /** @throws HttpError 404 */
  chosenIn(
    visit: Visit,
    given: Readonly<Record<'instance' | 'section' | 'name', string | undefined>>,
  ): ChosenSection {
    const instance = this.parts.instances.nameIn(visit, given.instance);
    const chosen = this.parts.reader.chosen(instance, given.section ?? '', given.name || undefined);
    if (chosen === undefined) throw notFound(instanceTexts[visit.language].none);
    return chosen;
  }

  async view(visit: Visit, chosen: ChosenSection, form?: FormState): Promise<View> {
    const { language, query } = visit;
    const words = settingsFormTexts[language];
    const { instance } = chosen;
    const saved = query['done'] === 'saved' && html`<p class="notice good" role="status">${words.saved}</p>`;
    const title = `${instance}: ${pathOfChosen(chosen)}`;
    const body = html`<h1>${title}</h1>
${noticeBox(form?.notice ?? (saved || undefined))}
<p><a href="${instancePath(instance)}">${instance}</a></p>
${await this.form(visit, chosen, form)}`;
    // A form that renews itself would change what its fields are compared with.
    return {
      title,
      body,
      status: form?.kind === 'refused' ? form.status : 200,
      isStill: true,
      live: sectionPath(chosen),
    };
  }

  async save(visit: Visit, chosen: ChosenSection, form: URLSearchParams): Promise<Done> {
    const words = settingsFormTexts[visit.language];
    const { reader } = this.parts;
    const fields = formFieldsOf(chosen.section);
    const texts = typedTexts(fields, form);
    const print = form.get('print') ?? '';
    const read = changesOf(fields, texts, print);
    const shown = async (problems: readonly FieldLine[], notice: Html, status: number): Promise<Done> => ({
      kind: 'show',
      view: await this.view(visit, chosen, { kind: 'refused', texts, print, problems, notice, status }),
    });
    if (read.kind === 'bad') {
      const lines = read.faults.map((each) => faultLine(chosen, each, visit.language));
      return shown(lines, refusal(words.refused, lines), 400);
    }
    const isNothing = Object.keys(read.changes).length === 0;
    const answer = isNothing ? undefined : await reader.set(visit.viewer, chosen, read.changes);
    if (answer?.isOk === false) {
      // The page around it could not be shown either.
      if (answer.status === 503) throw new HttpError(503, answer.problems);
      const lines = apiLines(chosen, answer.problems);
      return shown(lines, refusal(words.refused, lines), Math.max(400, answer.status));
    }
    if (answer === undefined || answer.warnings.length === 0)
      return { kind: 'go', to: sectionPath(chosen, { done: 'saved' }) };
    const notice = html`<p class="notice" role="status">${words.saved} ${answer.warnings.join(' ')}</p>`;
    return { kind: 'show', view: await this.view(visit, chosen, { kind: 'saved', notice }) };
  }

  private async form(visit: Visit, chosen: ChosenSection, form: FormState | undefined): Promise<Html> {
    const fields = formFieldsOf(chosen.section);
    const { section, name, instance } = chosen;
    const action = `${INSTANCES_PATH}/${encodeURIComponent(instance)}/sections/${section.name}`;
    if (form?.kind === 'refused') return sectionForm(visit, { action, name, fields, ...form });
    const read = await this.parts.reader.read(visit.viewer, instance);
    if (read.kind === 'refused') {
      const { problems, status } = read.answer;
      if (status === 503) throw new HttpError(503, problems);
      const { unreadable } = settingsFormTexts[visit.language];
      return html`<p class="notice" role="status">${unreadable} ${problems.join(' ')}</p>`;
    }
    const value = valueIn(read.document, chosen);
    const texts = textsOf(fields, value);
    // Of what nothing is set for yet, everything that the form says is new.
    const print = value === undefined ? '{}' : printOf(texts);
    return sectionForm(visit, { action, name, fields, texts, print, problems: [] });
  }
}

/** Sets a section. */
export function sectionAction(screen: SectionScreen): Action {
  return {
    // Instance and section stand in the path, which the log of actions names.
    path: `${INSTANCES_PATH}/:instance/sections/:section`,
    name: 'instances',
    audience: 'everybody',
    perform: (visit, form) => {
      const { instance, section } = visit.params;
      return screen.save(
        visit,
        screen.chosenIn(visit, { instance, section, name: form.get('of') ?? undefined }),
        form,
      );
    },
  };
}

function refusal(begins: string, lines: readonly FieldLine[]): Html {
  const items = lines.map(({ field, text }) =>
    field === undefined ? html`<li>${text}</li>` : html`<li><a href="#${field}">${text}</a></li>`,
  );
  return html`<div class="notice" role="alert" id="refused"><p>${begins}</p><ul>${items}</ul></div>`;
}

/** As the API would say it: the field first. */
function faultLine(chosen: ChosenSection, { field, kind }: FieldFault, language: Language): FieldLine {
  const words = settingsFormTexts[language];
  const text = {
    'no-events': words.noEventsInSection,
    'no-json': words.noJson,
    'no-number': words.noNumber,
    'too-long': words.tooLong,
  }[kind];
  return { field, text: `${pathOfChosen(chosen)}.${field}: ${text}` };
}

/** What the API says, each line with the field that it is about. */
function apiLines(chosen: ChosenSection, problems: readonly string[]): FieldLine[] {
  const begins = `${pathOfChosen(chosen)}.`;
  const names = new Set(formFieldsOf(chosen.section).map(({ name }) => name));
  return problems.map((text) => {
    const [field = ''] = text.startsWith(begins) ? text.slice(begins.length).split(/\W/, 1) : [];
    return { field: names.has(field) ? field : undefined, text };
  });
}
