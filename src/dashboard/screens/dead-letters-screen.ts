import type { DeadLetter } from '../../dead-letters/dead-letters';
import type { DestinationId } from '../../pipeline/delivery';
import { DEAD_REASONS } from '../../pipeline/parking';
import type { Replay, ReplayStore } from '../../replays/replay-store';
import type { DeadLetterSurveys, ReasonGroup, Survey } from '../dead-letter-surveys';
import { destinationLink } from '../destination-name';
import { type Html, html, path } from '../html';
import type { Language } from '../language';
import { csrfField, noticeBox } from '../layout';
import type { Screen, View, Visit } from '../screen';
import { shownMoment, shownNumber } from '../shown-values';
import { deadLetterTexts } from '../texts/dead-letter-texts';
import { deliveryTexts } from '../texts/delivery-texts';
import { destinationTexts } from '../texts/destination-texts';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { mayChange } from '../viewer';
import { confirmation } from './dead-letter-confirmation';
import { problemLine } from './deliveries-screen';
import { type DeliverySearch, deliverySearch, MAX_TEXT, type SearchField } from './delivery-search';

export interface DeadLettersScreenParts {
  readonly surveys: DeadLetterSurveys;
  readonly replays: Pick<ReplayStore, 'list'>;
}

export const DEAD_LETTERS_PATH = '/dashboard/dead-letters';
const FIELDS: readonly SearchField[] = ['reason', 'instance', 'event', 'destination', 'since', 'until'];
const REPLAYS = 20;

type DoneWord = keyof (typeof deadLetterTexts)['en']['done'];

export function deadLetterPath(id: string): string {
  return `${DEAD_LETTERS_PATH}/${encodeURIComponent(id)}`;
}

export function doneNotice({ query: { done = '' }, language }: Visit): Html | undefined {
  const words = deadLetterTexts[language].done;
  const isKnown = (word: string): word is DoneWord => Object.hasOwn(words, word);
  return isKnown(done) ? html`<p class="notice good" role="status">${words[done]}</p>` : undefined;
}

/** What was given up on, by reason; what matches can be delivered again or removed. */
export class DeadLettersScreen implements Screen {
  readonly path = DEAD_LETTERS_PATH;
  readonly name = 'deadLetters';
  readonly audience = 'operators';

  constructor(private readonly parts: DeadLettersScreenParts) {}

  show(visit: Visit): Promise<View> {
    return this.view(visit, doneNotice(visit));
  }

  /** With something on top that a form led to. */
  async view(visit: Visit, notice?: Html, status = 200): Promise<View> {
    const { language, query } = visit;
    const texts = deadLetterTexts[language];
    const now = Date.now();
    const search = deliverySearch(query, now, { of: 'dead-letters', fields: FIELDS });
    const { given, filter, problems } = search;
    const survey = problems.length > 0 ? undefined : await this.parts.surveys.of(filter, given);
    const body = html`<h1>${texts.title}</h1>
${noticeBox(notice)}
${filterForm(search, language)}
${problems.map((each) => problemLine(each, language))}
${survey !== undefined && confirmation(visit, { survey, search, now })}
${survey !== undefined && results(visit, survey, given)}
${await this.jobs(visit)}`;
    const live = { live: path(DEAD_LETTERS_PATH, given) };
    const code = problems.length > 0 ? 400 : status;
    return { title: texts.title, body, status: code, ...(notice === undefined ? {} : live) };
  }

  private async jobs(visit: Visit): Promise<Html | false> {
    const all = await this.parts.replays.list(REPLAYS);
    const jobs = all.filter(({ spec }) => spec.what !== 'deliveries');
    if (jobs.length === 0) return false;
    return html`<h2>${deadLetterTexts[visit.language].removals}</h2>
<ul class="replays" id="jobs">${jobs.map((each) => jobItem(visit, each))}</ul>`;
  }
}

function filterForm({ given }: DeliverySearch, language: Language): Html {
  const texts = deadLetterTexts[language];
  const { fields, timeHint } = deliveryTexts[language];
  const options = DEAD_REASONS.map(
    (each) =>
      html`<option value="${each}"${each === given['reason'] && html` selected`}>${texts.reasons[each]}</option>`,
  );
  const inputs = FIELDS.filter((field) => field !== 'reason').map((field) => {
    const isTime = field === 'since' || field === 'until';
    return html`<div><label for="${field}">${fields[field]}</label>
<input id="${field}" name="${field}" maxlength="${MAX_TEXT}" autocapitalize="none" spellcheck="false" value="${given[field] ?? ''}"${
      isTime && html` placeholder="${timeHint}"`
    }></div>`;
  });
  return html`<form class="search" method="get" action="${DEAD_LETTERS_PATH}" role="search">
<div><label for="reason">${texts.reason}</label>
<select id="reason" name="reason"><option value="">${texts.anyReason}</option>${options}</select></div>
${inputs}
<button class="primary">${texts.filter}</button></form>`;
}

function results(visit: Visit, survey: Survey, given: DeliverySearch['given']): Html {
  const { language, viewer } = visit;
  const texts = deadLetterTexts[language];
  const { count, groups, newest, isComplete } = survey;
  const counting =
    !isComplete && html`<p class="notice" role="status">${texts.counting(shownNumber(count, language))}</p>`;
  if (count === 0 && isComplete) return html`<p class="nothing" id="no-letters">${texts.none}</p>`;
  return html`${counting}
<h2>${texts.byReason}</h2>
<div class="wide"><table class="rows" id="groups"><thead><tr><th scope="col">${texts.reason}</th><th scope="col" class="number">${texts.count}</th>
<th scope="col">${texts.newest}</th><th scope="col">${texts.destinations}</th></tr></thead>
<tbody>${groups.map((each) => groupRow(each, { given, language }))}</tbody></table></div>
${
  mayChange(viewer) &&
  html`<p class="actions"><a href="${path(DEAD_LETTERS_PATH, { ...given, confirm: 'replay' })}" id="replay-all">${texts.replayAll}</a>
<a href="${path(DEAD_LETTERS_PATH, { ...given, confirm: 'remove' })}" id="remove-all">${texts.removeAll}</a></p>`
}
<h2>${texts.latest}</h2>
${letterTable(newest, language)}`;
}

interface GroupContext {
  readonly given: DeliverySearch['given'];
  readonly language: Language;
}

function groupRow(
  { reason, count, newest, destinations }: ReasonGroup,
  { given, language }: GroupContext,
): Html {
  const texts = deadLetterTexts[language];
  return html`<tr><th scope="row"><a href="${path(DEAD_LETTERS_PATH, { ...given, reason })}">${reasonName(reason, language)}</a></th>
<td data-label="${texts.count}" class="number">${shownNumber(count, language)}</td>
<td data-label="${texts.newest}">${shownMoment(newest)}</td>
<td data-label="${texts.destinations}">${destinations.map((each) => html`${nameOfDestination(each, language)} `)}</td></tr>`;
}

export function reasonName(reason: string, language: Language): string {
  const known = DEAD_REASONS.find((each) => each === reason);
  return known === undefined ? reason : deadLetterTexts[language].reasons[known];
}

/** Messages that are no events have none. */
export function nameOfDestination(id: string, language: Language): Html {
  return id === '' || id === 'none'
    ? html`${deliveryTexts[language].noDestination}`
    : destinationLink(id as DestinationId, language);
}

function letterTable(letters: readonly DeadLetter[], language: Language): Html {
  const texts = deadLetterTexts[language];
  const { time, event } = oneDestinationTexts[language];
  const { fields } = deliveryTexts[language];
  const { destination: destinationLabel } = destinationTexts[language];
  const rows = letters.map(
    ({ id, at, event: name, instance, destination, reason, detail }) => html`<tr>
<th scope="row"><a href="${deadLetterPath(id)}">${shownMoment(at)}</a></th>
<td data-label="${event}">${name}</td><td data-label="${fields.instance}">${instance}</td>
<td data-label="${destinationLabel}">${nameOfDestination(destination, language)}</td>
<td data-label="${texts.reason}">${reasonName(reason, language)}${detail !== undefined && html`<small>${detail}</small>`}</td></tr>`,
  );
  return html`<div class="wide"><table class="rows"><thead><tr><th scope="col">${time}</th><th scope="col">${event}</th>
<th scope="col">${fields.instance}</th><th scope="col">${destinationLabel}</th><th scope="col">${texts.reason}</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function jobItem({ session, viewer, language }: Visit, { id, spec, state, begun, progress }: Replay): Html {
  const texts = deadLetterTexts[language];
  const { replayStates, cancel } = oneDestinationTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  const form = html`<form method="post" action="${DEAD_LETTERS_PATH}/cancel-replay">${csrfField(session)}
<input type="hidden" name="replay" value="${id}"><button>${cancel}</button></form>`;
  return html`<li>${shownMoment(begun)} ${texts.whats[spec.what]} <span class="badge ${state}">${replayStates[state]}</span>
${texts.changed(number(progress.replayed), number(progress.seen))}
${state === 'running' && viewer.kind === 'operator' && form}</li>`;
}
