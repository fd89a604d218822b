import type { LogRecord } from '../../delivery-log/log-record';
import type { DestinationId } from '../../pipeline/delivery';
import type { DeliveryReader } from '../delivery-reader';
import { destinationName } from '../destination-name';
import { type Html, html } from '../html';
import type { Language } from '../language';
import type { ScreenSet, View, Visit } from '../screen';
import { SharedViews } from '../shared-views';
import { shownMoment, shownNumber } from '../shown-values';
import { type TailedEvent, tailedEvents } from '../tailed-events';
import { deliveryTexts } from '../texts/delivery-texts';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { tailTexts } from '../texts/tail-texts';
import { deliveryPath, problemLine } from './deliveries-screen';
import { type AskedSearch, askedBy, deliverySearch, MAX_TEXT } from './delivery-search';

export const TAIL_PATH = '/dashboard/tail';
/** Events on the page, and records that they are made of: what else came meanwhile is left out, and nothing is kept for anybody. */
const MOST_EVENTS = 100;
const MOST_RECORDS = 500;
const WINDOW_MS = 15 * 60_000;
const FIELDS = ['instance', 'event'] as const;

/**
 * Events as they come. The page asks for the newest ones once it has shown those before, so a slow browser asks less often and
 * misses some; no queue grows anywhere.
 */
export function tailScreen(reader: DeliveryReader): ScreenSet {
  const views = new SharedViews<readonly [readonly LogRecord[]], AskedSearch>(async ([records], asked) =>
    viewOf(records, asked),
  );
  const show = async (visit: Visit): Promise<View> => {
    const now = Date.now();
    const search = deliverySearch(visit.query, now, { of: 'deliveries', fields: FIELDS });
    const asked = askedBy(visit, search);
    if (asked.problems.length > 0) return viewOf([], asked);
    const filter = { ...search.filter, since: now - WINDOW_MS };
    const records = await reader.recent(visit.viewer, filter, { limit: MOST_RECORDS, question: asked.given });
    return views.of([records], asked);
  };
  return { screens: [{ path: TAIL_PATH, name: 'tail', audience: 'everybody', show }] };
}

function viewOf(records: readonly LogRecord[], asked: AskedSearch): View {
  const { language, problems } = asked;
  const texts = tailTexts[language];
  const events = tailedEvents(records, MOST_EVENTS);
  const isCut = records.length >= MOST_RECORDS || events.length >= MOST_EVENTS;
  const body = html`<h1>${texts.title}</h1>
${filterForm(asked)}
${problems.map((each) => problemLine(each, language))}
${isCut && html`<p class="notice" role="status">${texts.onlyNewest(shownNumber(events.length, language))}</p>`}
${events.length === 0 ? html`<p class="nothing">${texts.none}</p>` : table(events, language)}
<p class="hint">${texts.hint}</p>`;
  return { title: texts.title, body, status: problems.length > 0 ? 400 : 200 };
}

function filterForm({ language, given, isOfOne }: AskedSearch): Html {
  const { fields } = deliveryTexts[language];
  const inputs = FIELDS.filter((field) => field !== 'instance' || !isOfOne).map(
    (field) => html`<label for="${field}">${fields[field]}</label>
<input id="${field}" name="${field}" maxlength="${MAX_TEXT}" autocapitalize="none" spellcheck="false" value="${given[field] ?? ''}">`,
  );
  return html`<form class="filter" method="get" action="${TAIL_PATH}" role="search">${inputs}
<button>${tailTexts[language].filter}</button></form>`;
}

function table(events: readonly TailedEvent[], language: Language): Html {
  const texts = tailTexts[language];
  const { event } = oneDestinationTexts[language];
  const { fields, message } = deliveryTexts[language];
  return html`<div class="wide"><table class="rows" id="tail"><thead><tr><th scope="col">${texts.came}</th><th scope="col">${event}</th>
<th scope="col">${fields.instance}</th><th scope="col">${message}</th><th scope="col">${texts.happened}</th></tr></thead>
<tbody>${events.map((each) => row(each, language))}</tbody></table></div>`;
}

function row({ at, event, instance, message, chat, deliveries }: TailedEvent, language: Language): Html {
  const texts = deliveryTexts[language];
  const what = deliveries.map(
    ({ id, destination, what: happened, code }) =>
      html`<a href="${deliveryPath(id)}">${destination === '' ? texts.noDestination : destinationName(destination as DestinationId, language)}</a>
<span class="badge ${happened}">${texts.happenings[happened]}</span> ${code} `,
  );
  return html`<tr><td data-label="${tailTexts[language].came}">${shownMoment(at)}</td>
<td data-label="${oneDestinationTexts[language].event}">${event}</td><td data-label="${texts.fields.instance}">${instance}</td>
<td data-label="${texts.message}" class="answer message">${message === '' && chat === '' ? '–' : message}${chat !== '' && html`<small>${chat}</small>`}</td>
<td data-label="${tailTexts[language].happened}">${what}</td></tr>`;
}
