import type { LoggedDelivery } from '../../delivery-log/delivery-log';
import { attemptsOf } from '../../delivery-log/shown-delivery';
import { instanceOf } from '../../destinations/destination-ids';
import type { DestinationHealth, DestinationList } from '../../health/destination-list';
import { notFound } from '../../http-api/http-errors';
import type { Flow } from '../../ledger/flow-store';
import type { DestinationId } from '../../pipeline/delivery';
import { causeWords } from '../../pipeline/failure-cause';
import type { Replay, ReplayStore } from '../../replays/replay-store';
import { ageText } from '../../time/age-text';
import { type AttemptFigures, attemptFigures } from '../attempt-figures';
import type { DeliveryReader } from '../delivery-reader';
import { destinationName, destinationPath } from '../destination-name';
import { type Html, html } from '../html';
import type { Language } from '../language';
import { noticeBox } from '../layout';
import type { Screen, View, Visit } from '../screen';
import { shownMoment, shownMs, shownNumber, shownShare } from '../shown-values';
import { causeTexts } from '../texts/cause-texts';
import { destinationTexts } from '../texts/destination-texts';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { instanceSeen } from '../viewer';
import type { DestinationAddresses } from './destination-addresses';
import { destinationForms } from './destination-forms';
import { lastErrorOf, stateBadge } from './destination-table';
import { replayList } from './replay-list';

export interface DestinationScreenParts {
  readonly overviews: { current(): Promise<{ readonly flow: Pick<Flow, 'at'> }> };
  readonly destinations: Pick<DestinationList, 'show'>;
  readonly reader: Pick<DeliveryReader, 'search' | 'recent'>;
  readonly replays: Pick<ReplayStore, 'list'>;
  readonly addresses: Pick<DestinationAddresses, 'of' | 'canTest'>;
}

export const DESTINATION_PATH = '/dashboard/destinations/:id';
const SHOWN = 20;
/** Attempts that figures are made of. */
const MOST_RECORDS = 500;
const REPLAYS = 50;

/** What a form did before, named in the address. */
type DoneWord = keyof (typeof oneDestinationTexts)['en']['done'];

/** One destination: how it is, what its answers are, and what may be done. */
export class DestinationScreen implements Screen {
  readonly path = DESTINATION_PATH;
  readonly name = 'destinations';
  readonly audience = 'everybody';

  constructor(private readonly parts: DestinationScreenParts) {}

  show(visit: Visit): Promise<View> {
    const { done = '' } = visit.query;
    const words = oneDestinationTexts[visit.language].done;
    const isKnown = (word: string): word is DoneWord => Object.hasOwn(words, word);
    return this.view(
      visit,
      isKnown(done) ? html`<p class="notice good" role="status">${words[done]}</p>` : undefined,
    );
  }

  /** With something on top that a form led to. */
  async view(visit: Visit, notice?: Html, status = 200): Promise<View> {
    const { language, viewer } = visit;
    const destination = await this.find(visit);
    const { id } = destination;
    const { flow } = await this.parts.overviews.current();
    const { reader, addresses } = this.parts;
    const question = { destination: id };
    // One after the other: an instance has two searches at once, and may have another page open.
    const { deliveries } = await reader.search(viewer, question, { limit: SHOWN, question });
    const records = await reader.recent(viewer, question, { limit: MOST_RECORDS, question });
    const [address, replays] = await Promise.all([addresses.of(viewer, id), this.replaysOf(visit, id)]);
    const texts = oneDestinationTexts[language];
    const isOwn = instanceOf(id) !== undefined;
    const body = html`<h1>${destinationName(id, language)}</h1>
${noticeBox(notice)}
${facts(destination, { address: address ?? destination.address, figures: attemptFigures(records).get(id), now: flow.at, language })}
${destination.state === 'rejecting' && html`<p class="hint">${texts.rejecting}</p>`}
${destinationForms(visit, { destination, address, canTest: isOwn && addresses.canTest(id) })}
${replays.length > 0 && replayList(visit, { replays, back: destinationPath(id) })}
<h2>${texts.attempts}</h2>
${deliveryTable(deliveries, { language, withAnswers: isOwn || viewer.kind !== 'instance' })}`;
    return { title: destinationName(id, language), body, status, live: destinationPath(id) };
  }

  /** @throws HttpError 404, also for what belongs to somebody else */
  async find({ params, viewer, language }: Visit): Promise<DestinationHealth> {
    const id = params['id'] ?? '';
    const instance = instanceSeen(viewer);
    const isHidden = instance !== undefined && instanceOf(id as DestinationId) !== instance;
    const found = isHidden ? undefined : await this.parts.destinations.show(id);
    if (found === undefined) throw notFound(oneDestinationTexts[language].unknown);
    return found;
  }

  private async replaysOf({ viewer }: Visit, id: DestinationId): Promise<Replay[]> {
    if (viewer.kind === 'instance') return [];
    const all = await this.parts.replays.list(REPLAYS);
    return all.filter(({ spec }) => spec.filter['destination'] === id);
  }
}

interface FactsContext {
  readonly address: string | undefined;
  readonly figures: AttemptFigures | undefined;
  readonly now: number;
  readonly language: Language;
}

function facts(destination: DestinationHealth, { address, figures, now, language }: FactsContext): Html {
  const list = destinationTexts[language];
  const texts = oneDestinationTexts[language];
  const { state, since, waiting, oldest, nextAttempt, status } = destination;
  const { code } = destination;
  const isSaid = status === undefined || status === 0 || code === `HTTP_${status}`;
  const cause = causeWords(code, causeTexts[language]);
  const error = `${lastErrorOf(destination)}${isSaid ? '' : ` (${status})`}${cause && `: ${cause}`}`;
  return html`<dl class="facts">
<div><dt>${list.state}</dt><dd>${stateBadge(state, language)}</dd></div>
${since !== undefined && html`<div><dt>${list.since}</dt><dd>${shownMoment(since)}</dd></div>`}
${address !== undefined && html`<div><dt>${texts.address}</dt><dd class="address">${address}</dd></div>`}
${code !== undefined && html`<div><dt>${list.lastError}</dt><dd id="last-error">${error}</dd></div>`}
${nextAttempt !== undefined && html`<div><dt>${texts.nextAttempt}</dt><dd>${shownMoment(nextAttempt)}</dd></div>`}
<div><dt>${list.waiting}</dt><dd id="waiting">${shownNumber(waiting, language)}</dd></div>
${oldest !== undefined && html`<div><dt>${list.oldest}</dt><dd>${ageText(now - oldest)}</dd></div>`}
<div><dt>${list.failures}</dt><dd>${shownShare(figures?.failureShare, language)}</dd></div>
<div><dt>${list.p99}</dt><dd>${shownMs(figures?.p99Ms, language)}</dd></div>
</dl>`;
}

interface DeliveriesContext {
  readonly language: Language;
  readonly withAnswers: boolean;
}

function deliveryTable(deliveries: readonly LoggedDelivery[], context: DeliveriesContext): Html {
  const texts = oneDestinationTexts[context.language];
  if (deliveries.length === 0) return html`<p class="nothing">${texts.noAttempts}</p>`;
  return html`<div class="wide"><table class="rows">
<thead><tr><th scope="col">${texts.time}</th><th scope="col">${texts.event}</th><th scope="col">${texts.outcome}</th>
<th scope="col" class="number">${texts.tries}</th><th scope="col" class="number">${texts.duration}</th><th scope="col">${texts.answer}</th></tr></thead>
<tbody>${deliveries.map((each) => deliveryRow(each, context))}</tbody></table></div>`;
}

function deliveryRow(delivery: LoggedDelivery, { language, withAnswers }: DeliveriesContext): Html {
  const texts = oneDestinationTexts[language];
  const last = delivery.records.findLast(({ attempt }) => attempt > 0);
  const answer = [last?.code, withAnswers ? last?.answer : ''].filter(
    (each) => each !== undefined && each !== '',
  );
  return html`<tr>
<td data-label="${texts.time}">${shownMoment(delivery.at)}</td>
<td data-label="${texts.event}">${delivery.event}</td>
<td data-label="${texts.outcome}"><span class="badge ${delivery.outcome}">${texts.outcomes[delivery.outcome]}</span></td>
<td data-label="${texts.tries}" class="number">${attemptsOf(delivery).length}</td>
<td data-label="${texts.duration}" class="number">${shownMs(last?.durationMs, language)}</td>
<td data-label="${texts.answer}" class="answer">${answer.length === 0 ? '–' : answer.join(' ')}</td>
</tr>`;
}
