import { instanceOf } from '../../destinations/destination-ids';
import {
  DESTINATION_STATES,
  type DestinationHealth,
  type DestinationList,
} from '../../health/destination-list';
import { html } from '../html';
import type { Overviews } from '../overviews';
import type { RecentAttempts } from '../recent-attempts';
import type { ScreenSet, View, Visit } from '../screen';
import { destinationTexts } from '../texts/destination-texts';
import { instanceSeen } from '../viewer';
import { destinationTable } from './destination-table';
import { type ListFilter, listFilterOf, listForm, PAGE, pager } from './list-view';

export interface DestinationsScreenParts {
  readonly overviews: Overviews;
  readonly destinations: DestinationList;
  readonly attempts: RecentAttempts;
}

const PATH = '/dashboard/destinations';
const MAX_SEARCH = 200;

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
  const filter = listFilterOf(visit.query, MAX_SEARCH);
  const { destinations: all, flow } = await overviews.current();
  const found = all.filter((each) => isFound(each, filter, instanceSeen(viewer)));
  const page = found.slice(filter.offset, filter.offset + PAGE);
  const table = {
    destinations: await destinations.withOldest(page),
    figures: await attempts.current(),
    now: flow.at,
    language,
  };
  const form = {
    action: PATH,
    maxSearch: MAX_SEARCH,
    searchLabel: texts.search,
    states: DESTINATION_STATES,
    texts,
  };
  const body = html`<h1>${texts.title}</h1>
${listForm(filter, form)}
${destinationTable(table)}
${pager(filter, { action: PATH, shown: page.length, total: found.length, language })}`;
  return { title: texts.title, body };
}

function isFound(
  { id, state, address = '' }: DestinationHealth,
  filter: ListFilter,
  instance: string | undefined,
): boolean {
  if (instance !== undefined && instanceOf(id) !== instance) return false;
  if (filter.state !== '' && state !== filter.state) return false;
  if (filter.search === '') return true;
  const wanted = filter.search.toLowerCase();
  return [id, instanceOf(id) ?? '', address].some((text) => text.toLowerCase().includes(wanted));
}
