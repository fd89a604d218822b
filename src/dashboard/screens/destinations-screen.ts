import { instanceOf } from '../../destinations/destination-ids';
import {
  DESTINATION_STATES,
  type DestinationHealth,
  type DestinationList,
} from '../../health/destination-list';
import { html } from '../html';
import type { Language } from '../language';
import type { Overview, Overviews } from '../overviews';
import type { Figures, RecentAttempts } from '../recent-attempts';
import type { ScreenSet, View, Visit } from '../screen';
import { SharedViews } from '../shared-views';
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

type Readings = readonly [overview: Overview, figures: Figures];

interface Asked {
  readonly language: Language;
  /** The one that a viewer is kept to. */
  readonly instance: string | undefined;
  readonly filter: ListFilter;
}

/** All destinations, worst first, with filters in the address. */
export function destinationsScreen({
  overviews,
  destinations,
  attempts,
}: DestinationsScreenParts): ScreenSet {
  const views = new SharedViews<Readings, Asked>((readings, asked) => viewOf(destinations, readings, asked));
  const show = async ({ language, viewer, query }: Visit): Promise<View> => {
    const readings = await Promise.all([overviews.current(), attempts.current()]);
    const filter = listFilterOf(query, MAX_SEARCH);
    return views.of(readings, { language, instance: instanceSeen(viewer), filter });
  };
  return { screens: [{ path: PATH, name: 'destinations', audience: 'everybody', show }] };
}

async function viewOf(
  list: DestinationList,
  [{ destinations, flow }, figures]: Readings,
  { language, instance, filter }: Asked,
): Promise<View> {
  const texts = destinationTexts[language];
  const seen = instance === undefined ? destinations.all : destinations.of(instance);
  const found = seen.filter((each) => isFound(each, filter));
  const page = found.slice(filter.offset, filter.offset + PAGE);
  const table = {
    destinations: await list.withOldest(page),
    figures,
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

function isFound({ id, state, address = '' }: DestinationHealth, filter: ListFilter): boolean {
  if (filter.state !== '' && state !== filter.state) return false;
  if (filter.search === '') return true;
  const wanted = filter.search.toLowerCase();
  return [id, instanceOf(id) ?? '', address].some((text) => text.toLowerCase().includes(wanted));
}
