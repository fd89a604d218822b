import { CORE_KEYS } from '../../events/catalogue';
import type { FieldTexts, FormField } from '../form-fields';
import { type Html, html } from '../html';
import type { Language } from '../language';
import { csrfField } from '../layout';
import type { Visit } from '../screen';
import { settingsFormTexts } from '../texts/settings-form-texts';
import { mayChange } from '../viewer';

/** A sentence about a field, which begins with the field's name. */
export interface FieldLine {
  readonly field: string | undefined;
  readonly text: string;
}

export interface SectionFormParts {
  readonly action: string;
  /** Of a further one. */
  readonly name: string | undefined;
  readonly fields: readonly FormField[];
  readonly texts: FieldTexts;
  /** Of what the form showed at first. */
  readonly print: string;
  readonly problems: readonly FieldLine[];
}

interface FieldContext {
  readonly text: string;
  readonly language: Language;
  readonly isFixed: boolean;
  readonly lines: readonly FieldLine[];
}

/** A section by the names of the API; who may only read sees the same, and cannot send it. */
export function sectionForm(
  visit: Visit,
  { action, name, fields, texts, print, problems }: SectionFormParts,
): Html {
  const { language, session, viewer } = visit;
  const words = settingsFormTexts[language];
  const isFixed = !mayChange(viewer);
  const content = fields.map((field) =>
    fieldView(field, {
      text: texts.get(field.name) ?? '',
      ...{ language, isFixed },
      lines: problems.filter((each) => each.field === field.name),
    }),
  );
  const hint = html`<p class="hint">${words.sectionHint}</p>`;
  if (isFixed) return html`${hint}<div class="settings" id="settings">${content}</div>`;
  return html`${hint}<form class="settings" id="settings" method="post" action="${action}" novalidate>${csrfField(session)}
<input type="hidden" name="print" value="${print}">${name !== undefined && html`<input type="hidden" name="of" value="${name}">`}
${content}
<div class="all actions"><button class="primary" id="save">${words.save}</button></div></form>`;
}

function fieldView(field: FormField, context: FieldContext): Html {
  const { name, kind } = field;
  const { text, isFixed } = context;
  const rest = html`${isFixed && html` disabled`}${markOf(field, context)}`;
  const after = html`${hintOf(field, context)}${lineOf(field, context)}`;
  switch (kind) {
    case 'switch':
      return html`<div class="all"><label class="check"><input type="checkbox" id="${name}" name="${name}" value="yes"${text !== '' && html` checked`}${rest}> ${name}</label>${after}</div>`;
    case 'events':
      return eventsView(field, context);
    case 'choice':
      return html`<div><label for="${name}">${name}</label>
<select id="${name}" name="${name}"${rest}>${['', ...field.options].map((each) => option(each, context))}</select>${after}</div>`;
    case 'json':
      return html`<div class="all"><label for="${name}">${name} (JSON)</label>
<textarea id="${name}" name="${name}" rows="4" spellcheck="false"${rest}>
${text}</textarea>${after}</div>`;
    case 'number':
      return html`<div><label for="${name}">${name}</label>
<input id="${name}" name="${name}" type="text" inputmode="numeric" autocomplete="off" value="${text}"${rest}>${after}</div>`;
    case 'secret':
      return html`<div><label for="${name}">${name}</label>
<input id="${name}" name="${name}" type="password" autocomplete="new-password" value="${text}"${rest}>${after}</div>`;
    case 'text':
      return html`<div><label for="${name}">${name}</label>
<input id="${name}" name="${name}" type="text" spellcheck="false" autocapitalize="none" autocomplete="off" value="${text}"${rest}>${after}</div>`;
  }
}

function option(value: string, { text, language }: FieldContext): Html {
  const shown = value === '' ? settingsFormTexts[language].notSet : value;
  return html`<option value="${value}"${value === text && html` selected`}>${shown}</option>`;
}

/** Those that the core API has, and further ones that are set: of later versions, or of evolution-go. */
function eventsView(field: FormField, context: FieldContext): Html {
  const { text, isFixed } = context;
  const chosen = text === '' ? [] : text.split('\n');
  const all = [...CORE_KEYS, ...chosen.filter((event) => !CORE_KEYS.includes(event))];
  const boxes = all.map(
    (event) =>
      html`<label class="check"><input type="checkbox" name="${field.name}" value="${event}"${chosen.includes(event) && html` checked`}${isFixed && html` disabled`}> ${event}</label>`,
  );
  return html`<fieldset class="all" id="${field.name}"${described(field, context)}><legend>${field.name}</legend>${boxes}${lineOf(field, context)}</fieldset>`;
}

function markOf(field: FormField, context: FieldContext): Html {
  return html`${context.lines.length > 0 && html` aria-invalid="true"`}${described(field, context)}`;
}

function described({ name, hint, kind }: FormField, { lines, language }: FieldContext): Html | false {
  const ids = [
    ...(hint !== '' && kind !== 'events' && language === 'en' ? [`hint-${name}`] : []),
    ...(lines.length > 0 ? [`problem-${name}`] : []),
  ];
  return ids.length > 0 && html` aria-describedby="${ids.join(' ')}"`;
}

/** The API's description is in English: whoever reads another language has the names, which are the same everywhere. */
function hintOf({ name, hint }: FormField, { language }: FieldContext): Html | false {
  return hint !== '' && language === 'en' && html`<p class="hint" id="hint-${name}">${hint}</p>`;
}

function lineOf({ name }: FormField, { lines }: FieldContext): Html | false {
  return (
    lines.length > 0 &&
    html`<p class="problem" id="problem-${name}">${lines.map(({ text }) => text).join(' ')}</p>`
  );
}
