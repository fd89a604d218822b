import type { DestinationList } from '../../health/destination-list';
import type { FlowNumbers, FlowOfSome, FlowStore } from '../../ledger/flow-store';
import { ageText } from '../../time/age-text';
import { type Html, html } from '../html';
import type { Language } from '../language';
import type { Overview, Overviews } from '../overviews';
import { ratesOf } from '../overviews';
import type { Figures, RecentAttempts } from '../recent-attempts';
import type { ScreenSet, View, Visit } from '../screen';
import { type Situation, sentenceOf } from '../sentence';
import { SharedViews } from '../shared-views';
import { shownNumber } from '../shown-values';
import { nowTexts } from '../texts/now-texts';
import { instanceSeen } from '../viewer';
import { destinationTable } from './destination-table';
import { sentenceView } from './sentence-view';

export interface NowScreenParts {
  readonly overviews: Overviews;
  readonly flows: FlowStore;
  readonly destinations: DestinationList;
  readonly attempts: RecentAttempts;
}

const PATH = '/dashboard';
const HISTORY = '/dashboard/history';
const SHOWN = 5;
const MINUTES = { hour: 60, day: 1440 } as const;
/** Points of a plot: a day of minutes would be more than a screen has. */
const MOST_POINTS = 300;

type Readings = readonly [overview: Overview, figures: Figures];

interface Asked {
  readonly language: Language;
  /** The one that a viewer is kept to. */
  readonly instance: string | undefined;
}

/** The first screen: how the relay is, in one sentence, and how much flows. */
export function nowScreen(parts: NowScreenParts): ScreenSet {
  const { overviews, attempts } = parts;
  const views = new SharedViews<Readings, Asked>((readings, asked) => viewOf(parts, readings, asked));
  const show = async ({ language, viewer }: Visit): Promise<View> => {
    const readings = await Promise.all([overviews.current(), attempts.current()]);
    return views.of(readings, { language, instance: instanceSeen(viewer) });
  };
  return {
    screens: [{ path: PATH, name: 'now', audience: 'everybody', show }],
    data: [{ path: HISTORY, audience: 'operators', read: (visit) => readHistory(parts, visit) }],
  };
}

async function viewOf(
  { flows, destinations }: NowScreenParts,
  [overview, all]: Readings,
  { language, instance }: Asked,
): Promise<View> {
  const own = instance === undefined ? ofAll(overview) : ofOne(overview, instance);
  const texts = nowTexts[language];
  const figures =
    instance === undefined
      ? flowOfAll(overview, language)
      : flowOfOne(await flows.readOf(own.destinations.map(({ id }) => id)), language);
  const sentence = sentenceOf(own);
  const worst = own.destinations.filter(({ state }) => state !== 'well').slice(0, SHOWN);
  const table = {
    destinations: await destinations.withOldest(worst),
    figures: all,
    now: overview.flow.at,
    language,
  };
  const body = html`<h1 class="visually-hidden">${texts.title}</h1>
${sentenceView(sentence, language)}
<h2>${texts.flow}</h2>
${figures}
${worst.length > 0 && html`<h2>${texts.worst}</h2>${destinationTable(table)}`}
<p><a href="/dashboard/destinations">${texts.allDestinations}</a></p>
${instance === undefined && html`<h2>${texts.hour}</h2>${chart('hour', language)}<h2>${texts.day}</h2>${chart('day', language)}`}`;
  return { title: texts.title, body };
}

function ofAll({ flow, destinations, silent, newlyDead }: Overview): Situation {
  return { now: flow.at, flow, destinations: destinations.all, silent, newlyDead };
}

/** What an instance's own key shows: nothing of the relay as a whole. */
function ofOne({ flow, destinations, silent }: Overview, instance: string): Situation {
  const silence = silent.get(instance);
  return {
    now: flow.at,
    flow: undefined,
    destinations: destinations.of(instance),
    silent: new Map(silence === undefined ? [] : [[instance, silence]]),
    newlyDead: undefined,
  };
}

function flowOfAll({ flow, rates }: Overview, language: Language): Html {
  const texts = nowTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  const rate = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : texts.perSecond(number(value));
  const atBroker = flow.queues.reduce((sum, { messages }) => sum + messages, 0);
  return html`<dl class="flow">
${cell(texts.broker, flow.queues.length === 0 ? texts.unknown : number(atBroker))}
${cell(texts.received, rate(rates?.received) ?? texts.unknown, texts.inAll(number(flow.received)))}
${cell(texts.delivered, rate(rates?.delivered) ?? texts.unknown, texts.inAll(number(flow.delivered)))}
${cell(texts.parked, number(flow.parked), flow.parked === 0 ? undefined : texts.oldest(ageText(flow.oldestMs)))}
${cell(texts.dead, number(flow.dead))}
${cell(texts.audit, number(flow.difference))}
</dl>`;
}

function flowOfOne({ accepted, delivered, parked, dead }: FlowOfSome, language: Language): Html {
  const texts = nowTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  return html`<dl class="flow">${cell(texts.accepted, number(accepted))}${cell(
    texts.delivered,
    number(delivered),
  )}${cell(texts.parked, number(parked))}${cell(texts.dead, number(dead))}</dl>`;
}

function cell(name: string, value: string, note?: string): Html {
  return html`<div><dt>${name}</dt><dd>${value}${note !== undefined && html`<small>${note}</small>`}</dd></div>`;
}

/** The page's script draws it. */
function chart(span: keyof typeof MINUTES, language: Language): Html {
  const texts = nowTexts[language];
  return html`<div class="chart" id="chart-${span}" data-keep="" data-history="${HISTORY}?span=${span}" role="img" aria-label="${texts.chartLabel}"
data-time="${texts.chartTime}" data-received="${texts.chartReceived}" data-delivered="${texts.chartDelivered}" data-parked="${texts.chartParked}" data-none="${texts.noHistory}"></div>`;
}

/** Columns of a plot. */
interface History {
  /** Epoch seconds. */
  readonly at: readonly number[];
  readonly received: readonly (number | null)[];
  readonly delivered: readonly (number | null)[];
  readonly parked: readonly number[];
}

async function readHistory({ flows }: NowScreenParts, { query }: Visit): Promise<History> {
  const minutes = query['span'] === 'day' ? MINUTES.day : MINUTES.hour;
  const samples = thinned(await flows.history(minutes), Math.ceil(minutes / MOST_POINTS));
  const rates = samples.map((sample, index) => {
    const before = samples[index - 1];
    return before === undefined ? undefined : ratesOf(before, sample);
  });
  return {
    at: samples.map(({ at }) => Math.round(at / 1000)),
    received: rates.map((rate) => rounded(rate?.received)),
    delivered: rates.map((rate) => rounded(rate?.delivered)),
    parked: samples.map(({ parked }) => parked),
  };
}

function thinned(samples: readonly FlowNumbers[], step: number): readonly FlowNumbers[] {
  return samples.filter((_, index) => (samples.length - 1 - index) % step === 0);
}

function rounded(rate: number | undefined): number | null {
  return rate === undefined ? null : Math.round(rate * 100) / 100;
}
