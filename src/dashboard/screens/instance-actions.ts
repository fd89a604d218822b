import { HttpError } from '../../http-api/http-errors';
import type { FilterTrials, Trial, TriedEvent } from '../filter-trials';
import { type Html, html, path } from '../html';
import type { Language } from '../language';
import type { OwnApi } from '../own-api';
import type { Action, Done, Visit } from '../screen';
import { shownMoment, shownNumber } from '../shown-values';
import { settingsFormTexts } from '../texts/settings-form-texts';
import { type FormProblem, type ReadForm, readForm, type WebhookFields } from '../webhook-fields';
import type { InstanceScreen } from './instance-screen';
import { INSTANCES_PATH } from './instances-screen';
import { apiLines, type FieldLine } from './webhook-form';

export interface InstanceActionsParts {
  readonly api: OwnApi;
  readonly trials: FilterTrials;
  readonly screen: InstanceScreen;
}

type GoodForm = Extract<ReadForm, { kind: 'good' }>;

/** Set the webhook of an instance, or try what it would let through. */
export function instanceActions(parts: InstanceActionsParts): Action[] {
  const perform = async (visit: Visit, form: URLSearchParams): Promise<Done> => {
    // It stands in the path, which the log of actions names.
    const instance = parts.screen.nameIn(visit, visit.params['instance']);
    const read = readForm(form);
    const isTrial = form.get('try') !== null;
    if (read.kind === 'bad') {
      const lines = read.problems.map((each) => ownLine(each, visit.language));
      const begins = isTrial ? 'notTried' : 'refused';
      return refused(parts, visit, { instance, fields: read.fields, lines, status: 400, begins });
    }
    return isTrial ? tryOut(parts, visit, instance, read) : save(parts, visit, instance, read);
  };
  return [{ path: `${INSTANCES_PATH}/:instance/webhook`, name: 'instances', audience: 'everybody', perform }];
}

async function save(
  parts: InstanceActionsParts,
  visit: Visit,
  instance: string,
  { fields, section }: GoodForm,
): Promise<Done> {
  const { isOk, status, problems, warnings } = await parts.api.ask(visit.viewer, {
    method: 'POST',
    url: `/webhook/set/${encodeURIComponent(instance)}`,
    body: { webhook: section },
  });
  // The page around it could not be shown either.
  if (status === 503) throw new HttpError(503, problems);
  if (!isOk) return refused(parts, visit, { instance, fields, lines: apiLines(problems), status });
  if (warnings.length === 0)
    return { kind: 'go', to: path(`${INSTANCES_PATH}/one`, { instance, done: 'saved' }) };
  const { saved } = settingsFormTexts[visit.language];
  const notice = html`<p class="notice" role="status">${saved} ${warnings.join(' ')}</p>`;
  const form = { fields, problems: apiLines(warnings), notice, status: 200 };
  return { kind: 'show', view: await parts.screen.view(visit, instance, form) };
}

async function tryOut(
  parts: InstanceActionsParts,
  visit: Visit,
  instance: string,
  { fields, section }: GoodForm,
): Promise<Done> {
  const { enabled: _enabled, url: _url, byEvents: _byEvents, ...given } = section;
  const conditions = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const trial = await parts.trials.run(visit.viewer, instance, conditions);
  if (trial.kind === 'refused') {
    const { problems, status } = trial.answer;
    if (status === 503) throw new HttpError(503, problems);
    const lines = apiLines(problems);
    return refused(parts, visit, { instance, fields, lines, status, begins: 'notTried' });
  }
  const form = { fields, problems: [], notice: trialView(trial, visit.language), status: 200 };
  return { kind: 'show', view: await parts.screen.view(visit, instance, form) };
}

interface RefusedForm {
  readonly instance: string;
  readonly fields: WebhookFields;
  readonly lines: readonly FieldLine[];
  readonly status: number;
  readonly begins?: 'refused' | 'notTried';
}

async function refused(
  { screen }: InstanceActionsParts,
  visit: Visit,
  { instance, fields, lines, status, begins = 'refused' }: RefusedForm,
): Promise<Done> {
  const items = lines.map(({ field, text }) =>
    field === undefined ? html`<li>${text}</li>` : html`<li><a href="#${field}">${text}</a></li>`,
  );
  const notice = html`<div class="notice" role="alert" id="refused"><p>${settingsFormTexts[visit.language][begins]}</p><ul>${items}</ul></div>`;
  const form = { fields, problems: lines, notice, status: Math.max(400, status) };
  return { kind: 'show', view: await screen.view(visit, instance, form) };
}

/** As the API would say it: the field first. */
function ownLine({ field, kind }: FormProblem, language: Language): FieldLine {
  const texts = settingsFormTexts[language];
  const words = { 'no-events': texts.noEvents, 'no-json': texts.noJson, 'too-long': texts.tooLong };
  return { field, text: `webhook.${field}: ${words[kind]}` };
}

function trialView(trial: Extract<Trial, { kind: 'tried' }>, language: Language): Html {
  const texts = settingsFormTexts[language];
  const { from, events } = trial;
  const number = (value: number): string => shownNumber(value, language);
  const passed = events.filter(({ receives }) => receives).length;
  const line = from === 'log' ? texts.tried(number(passed), number(events.length)) : texts.triedOther[from];
  return html`<div class="notice good" role="status" id="trial"><p>${line}</p>
<ul>${events.map((each) => triedItem(each, language))}</ul></div>`;
}

function triedItem({ event, at, receives, reasons }: TriedEvent, language: Language): Html {
  const texts = settingsFormTexts[language];
  const why = reasons.map(({ condition, wanted, found }) => texts.because(condition, wanted, found));
  return html`<li>${at !== undefined && shownMoment(at)} ${event}: <strong>${receives ? texts.passes : texts.leftOut}</strong> ${why.join('; ')}</li>`;
}
