import { CORE_KEYS } from '../../events/catalogue';
import { type Html, html } from '../html';
import type { Language } from '../language';
import { csrfField } from '../layout';
import type { Visit } from '../screen';
import { settingsFormTexts } from '../texts/settings-form-texts';
import { mayChange } from '../viewer';
import { CHOICES, type FormField, fieldOf, SHORT_FIELDS, type WebhookFields } from '../webhook-fields';
import { INSTANCES_PATH } from './instances-screen';

/** A sentence about a field, which begins with the field's name. */
export interface FieldLine {
  readonly field: FormField | undefined;
  readonly text: string;
}

export interface WebhookFormParts {
  readonly instance: string;
  readonly fields: WebhookFields;
  readonly problems: readonly FieldLine[];
}

/** The instance's webhook by the names of the core API; who may only read sees the same, and cannot send it. */
export function webhookForm(visit: Visit, { instance, fields, problems }: WebhookFormParts): Html {
  const { language, session, viewer } = visit;
  const texts = settingsFormTexts[language];
  const isFixed = !mayChange(viewer);
  const mark = markOf(problems);
  const fixed = isFixed && html` disabled`;
  const content = html`<label class="check all"><input type="checkbox" name="enabled" value="yes" id="enabled"${fields.enabled && html` checked`}${fixed}${mark('enabled')}> ${texts.enabled} (enabled)</label>
<div class="all"><label for="url">${texts.url} (url)</label>
<input id="url" name="url" type="text" inputmode="url" maxlength="2048" spellcheck="false" autocapitalize="none" value="${fields.url}"${fixed}${mark('url')}>${lineOf(problems, 'url')}</div>
<label class="check all"><input type="checkbox" name="byEvents" value="yes" id="byEvents"${fields.byEvents && html` checked`}${fixed}${mark('byEvents')}> ${texts.byEvents} (byEvents)</label>
${eventsFieldset(fields.events, { language, isFixed, problems })}
${SHORT_FIELDS.map((name) => choiceField(name, { fields, language, isFixed, problems }))}
<div class="all"><label for="filter">${texts.filter} (filter)</label>
<textarea id="filter" name="filter" rows="6" spellcheck="false"${fixed}${mark('filter')}>
${fields.filter}</textarea>${lineOf(problems, 'filter')}</div>`;
  if (isFixed)
    return html`<p class="hint">${texts.hint}</p><div class="settings" id="settings">${content}</div>`;
  return html`<p class="hint">${texts.hint}</p>
<form class="settings" id="settings" method="post" action="${`${INSTANCES_PATH}/${encodeURIComponent(instance)}/webhook`}" novalidate>${csrfField(session)}
${content}
<div class="all actions"><button class="primary" id="save">${texts.save}</button>
<button name="try" value="yes" id="try">${texts.trial}</button></div></form>`;
}

interface FieldContext {
  readonly language: Language;
  readonly isFixed: boolean;
  readonly problems: readonly FieldLine[];
}

/** Those that the core API has, and further ones that are set: of later versions, or of evolution-go. */
function eventsFieldset(events: readonly string[], { language, isFixed, problems }: FieldContext): Html {
  const chosen = new Set(events);
  const all = [...CORE_KEYS, ...events.filter((event) => !CORE_KEYS.includes(event))];
  const boxes = all.map(
    (event) =>
      html`<label class="check"><input type="checkbox" name="events" value="${event}"${chosen.has(event) && html` checked`}${isFixed && html` disabled`}> ${event}</label>`,
  );
  return html`<fieldset class="all" id="events"${describedBy(problems, 'events')}><legend>${settingsFormTexts[language].events} (events)</legend>${boxes}${lineOf(problems, 'events')}</fieldset>`;
}

function choiceField(
  name: (typeof SHORT_FIELDS)[number],
  { fields, language, isFixed, problems }: FieldContext & { readonly fields: WebhookFields },
): Html {
  const texts = settingsFormTexts[language];
  const options = CHOICES.map(
    (each) =>
      html`<option value="${each}"${each === fields.short[name] && html` selected`}>${texts[each === '' ? 'either' : each]}</option>`,
  );
  return html`<div><label for="${name}">${texts[name]} (${name})</label>
<select id="${name}" name="${name}"${isFixed && html` disabled`}${markOf(problems)(name)}>${options}</select>${lineOf(problems, name)}</div>`;
}

function markOf(problems: readonly FieldLine[]): (field: FormField) => Html | false {
  return (field) => isWrong(problems, field) && html` aria-invalid="true"${describedBy(problems, field)}`;
}

function describedBy(problems: readonly FieldLine[], field: FormField): Html | false {
  return isWrong(problems, field) && html` aria-describedby="problem-${field}"`;
}

function isWrong(problems: readonly FieldLine[], field: FormField): boolean {
  return problems.some((each) => each.field === field);
}

function lineOf(problems: readonly FieldLine[], field: FormField): Html | false {
  const found = problems.filter((each) => each.field === field);
  return (
    found.length > 0 &&
    html`<p class="problem" id="problem-${field}">${found.map(({ text }) => text).join(' ')}</p>`
  );
}

/** What the API says, each line with the field that it is about. */
export function apiLines(problems: readonly string[]): FieldLine[] {
  return problems.map((text) => ({ field: fieldOf(text), text }));
}
