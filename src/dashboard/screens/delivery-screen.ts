import type { LoggedDelivery } from '../../delivery-log/delivery-log';
import type { LogRecord } from '../../delivery-log/log-record';
import { notFound } from '../../http-api/http-errors';
import type { Replay, ReplayStore } from '../../replays/replay-store';
import { addressOf, type CurlParts, curlOf } from '../delivery-curl';
import type { DeliveryReader, DeliveryWithBody } from '../delivery-reader';
import { destinationLink } from '../destination-name';
import { type Html, html } from '../html';
import type { Language } from '../language';
import { noticeBox } from '../layout';
import type { Screen, View, Visit } from '../screen';
import { indented, type ShownBody } from '../shown-body';
import { shownMoment, shownMs, shownNumber } from '../shown-values';
import { commonTexts } from '../texts/common-texts';
import { deliveryTexts } from '../texts/delivery-texts';
import { destinationTexts } from '../texts/destination-texts';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { DELIVERIES_PATH, deliveryPath } from './deliveries-screen';
import { button } from './destination-forms';
import { replayList } from './replay-list';

export interface DeliveryScreenParts extends CurlParts {
  readonly reader: DeliveryReader;
  readonly replays: Pick<ReplayStore, 'list'>;
}

export const DELIVERY_PATH = `${DELIVERIES_PATH}/:id`;
const REPLAYS = 50;

/** One delivery: what happened to it, what came back, what was sent. */
export class DeliveryScreen implements Screen {
  readonly path = DELIVERY_PATH;
  readonly name = 'deliveries';
  readonly audience = 'everybody';

  constructor(private readonly parts: DeliveryScreenParts) {}

  show(visit: Visit): Promise<View> {
    const { done } = visit.query;
    const words = oneDestinationTexts[visit.language].done;
    const isKnown = done === 'replay' || done === 'cancel';
    return this.view(
      visit,
      isKnown ? html`<p class="notice good" role="status">${words[done]}</p>` : undefined,
    );
  }

  /** With something on top that a form led to. */
  async view(visit: Visit, notice?: Html, status = 200): Promise<View> {
    const { language, viewer } = visit;
    const texts = deliveryTexts[language];
    const { delivery, body: shown } = await this.find(visit);
    const { id } = delivery;
    const address = await addressOf(this.parts, viewer, delivery);
    const replays = await this.replaysOf(visit, id);
    const isReplayable =
      delivery.outcome === 'dead' || (delivery.outcome === 'delivered' && shown !== undefined);
    const content = html`<h1>${texts.one}</h1>
${noticeBox(notice)}
${facts(delivery, language)}
${viewer.kind === 'operator' && isReplayable && html`<div class="actions" id="replay-one">${button(visit, `${deliveryPath(id)}/replay`, oneDestinationTexts[language].replay)}</div>`}
${replays.length > 0 && replayList(visit, { replays, back: deliveryPath(id) })}
<h2>${texts.story}</h2>
<ol class="story">${delivery.records.map((each) => storyItem(each, language))}</ol>
<h2>${texts.body}</h2>
${shown === undefined ? html`<p class="nothing">${texts.noBody}</p>` : bodyView(shown, language)}
${shown !== undefined && shown.cutAt === undefined && address !== undefined && curlView(curlOf(address, delivery, shown.text), language)}
<p><a href="${DELIVERIES_PATH}">${texts.backToSearch}</a></p>`;
    return { title: texts.one, body: content, status, live: deliveryPath(id) };
  }

  /** @throws HttpError 404, also for what belongs to somebody else */
  async find({ params, viewer, language }: Visit): Promise<DeliveryWithBody> {
    const found = await this.parts.reader.find(viewer, params['id'] ?? '');
    if (found === undefined) throw notFound(deliveryTexts[language].unknown);
    return found;
  }

  private async replaysOf({ viewer }: Visit, id: string): Promise<Replay[]> {
    if (viewer.kind === 'instance') return [];
    const all = await this.parts.replays.list(REPLAYS);
    return all.filter(({ spec }) => spec.filter['id'] === id);
  }
}

function facts(delivery: LoggedDelivery, language: Language): Html {
  const texts = deliveryTexts[language];
  const own = oneDestinationTexts[language];
  const { id, outcome, reason, event, instance, message, chat, destination, bytes } = delivery;
  return html`<dl class="facts">
<div><dt>${own.outcome}</dt><dd id="outcome-now"><span class="badge ${outcome}">${own.outcomes[outcome]}</span>${reason !== '' && html`<small>${reason}</small>`}</dd></div>
<div><dt>${own.event}</dt><dd>${event}</dd></div>
<div><dt>${texts.fields.instance}</dt><dd>${instance}</dd></div>
<div><dt>${destinationTexts[language].destination}</dt><dd>${destination === '' ? texts.noDestination : destinationLink(destination, language)}</dd></div>
${message !== '' && html`<div><dt>${texts.fields.message}</dt><dd class="address">${message}</dd></div>`}
${chat !== '' && html`<div><dt>${texts.fields.chat}</dt><dd class="address">${chat}</dd></div>`}
<div><dt>${texts.bytes}</dt><dd>${shownNumber(bytes, language)} B</dd></div>
<div><dt>${texts.id}</dt><dd class="address">${id}</dd></div>
</dl>`;
}

function storyItem(
  { what, at, attempt, durationMs, status, code, answer }: LogRecord,
  language: Language,
): Html {
  const texts = deliveryTexts[language];
  const detail = [status === 0 ? '' : String(status), code].filter((each) => each !== '').join(' ');
  return html`<li>${shownMoment(at)} <span class="badge ${what}">${texts.happenings[what]}</span>
${attempt > 0 && html`${texts.attempt(shownNumber(attempt, language))}, ${shownMs(durationMs, language)}`} ${detail}
${answer !== '' && html`<pre class="small">${answer}</pre>`}</li>`;
}

function bodyView({ text, bytes, cutAt }: ShownBody, language: Language): Html {
  const number = (value: number): string => shownNumber(value, language);
  const cut =
    cutAt !== undefined &&
    html`<p class="hint">${deliveryTexts[language].cut(number(cutAt), number(bytes))}</p>`;
  return html`${cut}<pre class="body" id="body" tabindex="0" role="region" aria-label="${deliveryTexts[language].body}">${indented(text)}</pre>`;
}

function curlView(command: string, language: Language): Html {
  const texts = deliveryTexts[language];
  const { copy, copied } = commonTexts[language];
  return html`<details id="curl"><summary>${texts.curl}</summary><p class="hint">${texts.curlHint}</p>
<button type="button" data-copy="curl-command" data-copied="${copied}">${copy}</button>
<pre class="body" id="curl-command" tabindex="0" role="region" aria-label="${texts.curl}">${command}</pre></details>`;
}
