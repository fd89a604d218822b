import { instanceOf } from '../../destinations/destination-ids';
import {
  DESTINATION_STATES,
  type DestinationHealth,
  type DestinationList,
} from '../../health/destination-list';
import { type Html, html, path } from '../html';
import type { Language } from '../language';
import type { Overviews } from '../overviews';
import type { RecentAttempts } from '../recent-attempts';
import type { ScreenSet, View, Visit } from '../screen';
import { shownNumber } from '../shown-values';
import { commonTexts } from '../texts/common-texts';
import { destinationTexts } from '../texts/destination-texts';
import { instanceSeen } from '../viewer';
import { destinationTable } from './destination-table';

export interface DestinationsScreenParts {
  readonly overviews: Overviews;
  readonly destinations: DestinationList;
  readonly attempts: RecentAttempts;
}

const PATH = '/dashboard/destinations';
const PAGE = 50;
const MAX_SEARCH = 200;

/** What the address of the list says. */
interface Filter {
  readonly search: string;
  readonly state: string;
  readonly offset: number;
}

/** All destinations, worst first, with filters in the address. */
export function destinationsScreen(parts: DestinationsScreenParts): ScreenSet {
  return {
    screens: [
      { path: PATH, name: 'destinations', audience: 'everybody', show: (visit) => show(parts, visit) },
    ],
  };
}

async function show(
  { overviews, destinations, attempts }: DestinationsScreenParts,
  visit: Visit,
): Promise<View> {
  const { language, viewer } = visit;
  const texts = destinationTexts[language];
  const filter = filterOf(visit.query);
  const { destinations: all, flow } = await overviews.current();
  const found = all.filter((each) => isFound(each, filter, instanceSeen(viewer)));
  const page = found.slice(filter.offset, filter.offset + PAGE);
  const table = {
    destinations: await destinations.withOldest(page),
    figures: await attempts.current(),
    now: flow.at,
    language,
  };
  const body = html`<h1>${texts.title}</h1>
${filterForm(filter, language)}
${destinationTable(table)}
${pager(filter, { shown: page.length, total: found.length, language })}`;
  return { title: texts.title, body };
}

function filterOf({ search = '', state = '', offset = '' }: Visit['query']): Filter {
  const at = /^\d{1,7}$/.test(offset) ? Number(offset) : 0;
  return { search: search.slice(0, MAX_SEARCH), state, offset: at };
}

function isFound(
  { id, state, address = '' }: DestinationHealth,
  filter: Filter,
  instance: string | undefined,
): boolean {
  if (instance !== undefined && instanceOf(id) !== instance) return false;
  if (filter.state !== '' && state !== filter.state) return false;
  if (filter.search === '') return true;
  const wanted = filter.search.toLowerCase();
  return [id, instanceOf(id) ?? '', address].some((text) => text.toLowerCase().includes(wanted));
}

function filterForm({ search, state }: Filter, language: Language): Html {
  const texts = destinationTexts[language];
  const options = DESTINATION_STATES.map(
    (each) =>
      html`<option value="${each}"${each === state && html` selected`}>${texts.states[each]}</option>`,
  );
  return html`<form class="filter" method="get" action="${PATH}" role="search">
<label for="search">${texts.search}</label>
<input id="search" name="search" type="search" maxlength="${MAX_SEARCH}" value="${search}">
<label for="state">${texts.state}</label>
<select id="state" name="state"><option value="">${texts.anyState}</option>${options}</select>
<button>${texts.filter}</button>
</form>`;
}

interface Paging {
  readonly shown: number;
  readonly total: number;
  readonly language: Language;
}

function pager({ search, state, offset }: Filter, { shown, total, language }: Paging): Html {
  const texts = commonTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  const to = (next: number): string =>
    path(PATH, { search, state, offset: next === 0 ? undefined : Math.max(0, next) });
  const range = texts.range(number(shown === 0 ? 0 : offset + 1), number(offset + shown), number(total));
  return html`<nav class="pager" aria-label="${range}"><span>${range}</span>
${offset > 0 && html`<a href="${to(Math.max(0, offset - PAGE))}" rel="prev">${texts.previous}</a>`}
${offset + shown < total && html`<a href="${to(offset + PAGE)}" rel="next">${texts.next}</a>`}</nav>`;
}
