import { fromStore } from '../../errors';
import type { ReportedQueue } from '../../ledger/flow-store';
import type { RetryStore } from '../../retry/retry-store';
import { ageText } from '../../time/age-text';
import { type Html, html } from '../html';
import { JOB_BOARD } from '../job-board';
import type { Language } from '../language';
import type { Overview, Overviews } from '../overviews';
import type { ScreenSet, View, Visit } from '../screen';
import { SharedReading } from '../shared-reading';
import { SharedViews } from '../shared-views';
import { shownNumber } from '../shown-values';
import { queueTexts } from '../texts/queue-texts';

export interface QueuesScreenParts {
  readonly overviews: Overviews;
  readonly store: Pick<RetryStore, 'queue' | 'lanes'>;
}

const PATH = '/dashboard/queues';
const STATES = ['wait', 'active', 'delayed', 'prioritized', 'failed'] as const;
const INTERVAL_MS = 2500;

/** How many lie in the retry queue. */
interface RetryCounts {
  readonly byState: Readonly<Record<string, number>>;
  readonly behind: number;
}

type Readings = readonly [overview: Overview, counts: RetryCounts];

interface Asked {
  readonly language: Language;
}

/** The broker's queues as workers see them, and the retry queue. */
export function queuesScreen({ overviews, store }: QueuesScreenParts): ScreenSet {
  const read = async (): Promise<RetryCounts> => {
    const byState = await fromStore(store.queue.getJobCounts(...STATES));
    return { byState, behind: (await fromStore(store.lanes())).deliveriesBehind };
  };
  const counts = new SharedReading({ read, leastMs: INTERVAL_MS });
  const views = new SharedViews<Readings, Asked>(async (readings, asked) => viewOf(readings, asked));
  const show = async ({ language }: Visit): Promise<View> =>
    views.of(await Promise.all([overviews.current(), counts.current()]), { language });
  return { screens: [{ path: PATH, name: 'queues', audience: 'operators', show }] };
}

function viewOf([overview, counts]: Readings, { language }: Asked): View {
  const texts = queueTexts[language];
  const body = html`<h1>${texts.title}</h1>
<h2>${texts.broker}</h2>
${sourceQueues(overview, language)}
<h2>${texts.retry}</h2>
${retryQueue(counts, language)}
<p><a href="${JOB_BOARD}">${texts.board}</a></p>`;
  return { title: texts.title, body };
}

function sourceQueues({ flow, growing }: Overview, language: Language): Html {
  const texts = queueTexts[language];
  if (flow.queues.length === 0) return html`<p class="nothing">${texts.noReport}</p>`;
  const rows = flow.queues.map((each) => queueRow(each, { isGrowing: growing.has(each.queue), language }));
  return html`<div class="wide"><table class="rows"><thead><tr><th scope="col">${texts.queue}</th>
<th scope="col" class="number">${texts.messages}</th><th scope="col" class="number">${texts.consumers}</th>
<th scope="col" class="number">${texts.oldest}</th><th scope="col">${texts.note}</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

interface RowContext {
  readonly isGrowing: boolean;
  readonly language: Language;
}

function queueRow(
  { queue, messages, consumers, oldestSeconds }: ReportedQueue,
  { isGrowing, language }: RowContext,
): Html {
  const texts = queueTexts[language];
  const isUnread = consumers === 0 && messages > 0;
  const growing = isGrowing ? texts.growing : '';
  return html`<tr><th scope="row">${queue}</th>
<td data-label="${texts.messages}" class="number">${shownNumber(messages, language)}</td>
<td data-label="${texts.consumers}" class="number">${consumers === undefined ? '–' : shownNumber(consumers, language)}</td>
<td data-label="${texts.oldest}" class="number">${oldestSeconds === undefined ? '–' : ageText(oldestSeconds * 1000)}</td>
<td data-label="${texts.note}">${isUnread ? texts.unread : growing}</td></tr>`;
}

function retryQueue({ byState, behind }: RetryCounts, language: Language): Html {
  const texts = queueTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  return html`<dl class="flow">${STATES.map(
    (state) => html`<div><dt>${texts.states[state]}</dt><dd>${number(byState[state] ?? 0)}</dd></div>`,
  )}<div><dt>${texts.behind}</dt><dd>${number(behind)}</dd></div></dl>`;
}
