import type { LoggedDelivery, SearchResult } from '../../delivery-log/delivery-log';
import { OUTCOMES } from '../../delivery-log/log-filter';
import type { Coverage } from '../../delivery-log/log-store';
import { attemptsOf, isOfDeliveries } from '../../delivery-log/shown-delivery';
import type { DeliveryReader } from '../delivery-reader';
import { destinationLink } from '../destination-name';
import { type Html, html, path } from '../html';
import type { Language } from '../language';
import type { ScreenSet, View, Visit } from '../screen';
import { SharedViews } from '../shared-views';
import { shownMoment, shownNumber } from '../shown-values';
import { deliveryTexts } from '../texts/delivery-texts';
import { destinationTexts } from '../texts/destination-texts';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import {
  type AskedSearch,
  askedBy,
  type DeliverySearch,
  deliverySearch,
  type FieldProblem,
  MAX_TEXT,
  SEARCH_FIELDS,
} from './delivery-search';

export const DELIVERIES_PATH = '/dashboard/deliveries';
const PAGE = 50;

/** The delivery log's search: where is my message? */
export function deliveriesScreen(reader: DeliveryReader): ScreenSet {
  const views = new SharedViews<readonly [SearchResult], AskedSearch>(async ([found], asked) =>
    viewOf(found, asked),
  );
  const show = async (visit: Visit): Promise<View> => {
    const search = deliverySearch(visit.query, Date.now());
    const asked = askedBy(visit, search);
    if (asked.problems.length > 0) return viewOf(undefined, asked);
    const found = await reader.search(visit.viewer, search.filter, { limit: PAGE, question: asked.given });
    return views.of([found], asked);
  };
  return { screens: [{ path: DELIVERIES_PATH, name: 'deliveries', audience: 'everybody', show }] };
}

function viewOf(found: SearchResult | undefined, asked: AskedSearch): View {
  const { language, problems } = asked;
  const texts = deliveryTexts[language];
  const body = html`<h1>${texts.title}</h1>
${searchForm(asked)}
${problems.map((each) => problemLine(each, language))}
${found !== undefined && results(found, asked)}`;
  return { title: texts.title, body, status: problems.length > 0 ? 400 : 200 };
}

export function deliveryPath(id: string): string {
  return `${DELIVERIES_PATH}/${encodeURIComponent(id)}`;
}

function searchForm({ language, given, problems, isOfOne }: AskedSearch): Html {
  const texts = deliveryTexts[language];
  const { outcomes, outcome: outcomeName } = oneDestinationTexts[language];
  const wrong = new Set(problems.map(({ field }) => field));
  const fields = SEARCH_FIELDS.filter((field) => field !== 'instance' || !isOfOne).map((field) => {
    const isTime = field === 'since' || field === 'until';
    return html`<div><label for="${field}">${texts.fields[field]}</label>
<input id="${field}" name="${field}" maxlength="${MAX_TEXT}" autocapitalize="none" spellcheck="false" value="${given[field] ?? ''}"${
      isTime && html` placeholder="${texts.timeHint}"`
    }${wrong.has(field) && html` aria-invalid="true" aria-describedby="problem-${field}"`}></div>`;
  });
  const options = OUTCOMES.map(
    (each) =>
      html`<option value="${each}"${each === given['outcome'] && html` selected`}>${outcomes[each]}</option>`,
  );
  return html`<form class="search" method="get" action="${DELIVERIES_PATH}" role="search">
${fields}
<div><label for="outcome">${outcomeName}</label>
<select id="outcome" name="outcome"><option value="">${texts.anyOutcome}</option>${options}</select></div>
<button class="primary">${texts.search}</button>
</form>`;
}

export function problemLine(problem: FieldProblem, language: Language): Html {
  const texts = deliveryTexts[language];
  const { field } = problem;
  const text = problemText(problem, texts);
  return html`<p class="notice" role="alert" id="problem-${field}">${texts.fields[field]}: ${text}</p>`;
}

function problemText(problem: FieldProblem, texts: (typeof deliveryTexts)[Language]): string {
  switch (problem.kind) {
    case 'too-long':
      return texts.tooLong;
    case 'no-moment':
      return texts.noMoment;
    case 'reversed':
      return texts.reversed;
    case 'misspelt':
      return texts.misspelt(problem.meant);
  }
}

function results({ deliveries, more, coverage }: SearchResult, { given, language }: AskedSearch): Html {
  if (deliveries.length === 0)
    return html`<p class="nothing" id="not-seen">${notSeenText(coverage, given, language)}</p>`;
  const texts = deliveryTexts[language];
  const own = oneDestinationTexts[language];
  const { destination } = destinationTexts[language];
  const last = deliveries.at(-1);
  const until = last === undefined ? undefined : new Date(last.at).toISOString();
  return html`<div class="wide"><table class="rows">
<thead><tr><th scope="col">${own.time}</th><th scope="col">${own.event}</th><th scope="col">${texts.fields.instance}</th>
<th scope="col">${texts.message}</th><th scope="col">${destination}</th><th scope="col">${own.outcome}</th>
<th scope="col" class="number">${own.tries}</th><th scope="col">${own.answer}</th></tr></thead>
<tbody>${deliveries.map((each) => row(each, language))}</tbody></table></div>
${more && html`<nav class="pager" aria-label="${texts.older}"><a href="${path(DELIVERIES_PATH, { ...given, until })}" rel="next">${texts.older}</a></nav>`}`;
}

function row(delivery: LoggedDelivery, language: Language): Html {
  const texts = deliveryTexts[language];
  const own = oneDestinationTexts[language];
  const { id, at, event, instance, message, chat, destination, outcome, reason, records } = delivery;
  const last = records.findLast(({ attempt }) => attempt > 0);
  const status = last === undefined || last.status === 0 ? undefined : last.status;
  const answer = [status, last?.code].filter((each) => each !== undefined && each !== '').join(' ');
  return html`<tr>
<th scope="row" class="moment"><a href="${deliveryPath(id)}">${shownMoment(at)}</a></th>
<td data-label="${own.event}">${event}</td>
<td data-label="${texts.fields.instance}">${instance}</td>
<td data-label="${texts.message}" class="answer message">${message === '' && chat === '' ? '–' : message}${chat !== '' && html`<small>${chat}</small>`}</td>
<td data-label="${destinationTexts[language].destination}">${destination === '' ? texts.noDestination : destinationLink(destination, language)}</td>
<td data-label="${own.outcome}"><span class="badge ${outcome}">${own.outcomes[outcome]}</span>${reason !== '' && html`<small>${reason}</small>`}</td>
<td data-label="${own.tries}" class="number">${attemptsOf(delivery).length}</td>
<td data-label="${own.answer}">${answer === '' ? '–' : answer}</td>
</tr>`;
}

/** Why nothing was found. */
export function notSeenText(
  { since, skipped }: Coverage,
  given: DeliverySearch['given'],
  language: Language,
): Html {
  const texts = deliveryTexts[language];
  if (since === undefined) return html`${texts.unknownYet}`;
  const isOfEvents = !isOfDeliveries(given);
  if (!isOfEvents && skipped === 0) return texts.noMatch(shownMoment(since));
  const rest = skipped === 0 ? texts.noneSkipped : texts.skipped(shownNumber(skipped, language));
  return html`${(isOfEvents ? texts.notSeen : texts.noMatch)(shownMoment(since))} ${rest}`;
}
