import type { DeadLetterDetails, DeadLetters } from '../../dead-letters/dead-letters';
import { notFound } from '../../http-api/http-errors';
import type { AttemptRecord } from '../../pipeline/delivery';
import { type Html, html } from '../html';
import type { Language } from '../language';
import { noticeBox } from '../layout';
import type { Screen, View, Visit } from '../screen';
import { indented, shownBody } from '../shown-body';
import { shownMoment, shownMs, shownNumber } from '../shown-values';
import { deadLetterTexts } from '../texts/dead-letter-texts';
import { deliveryTexts } from '../texts/delivery-texts';
import { destinationTexts } from '../texts/destination-texts';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { mayChange } from '../viewer';
import {
  DEAD_LETTERS_PATH,
  deadLetterPath,
  doneNotice,
  nameOfDestination,
  reasonName,
} from './dead-letters-screen';
import { button } from './destination-forms';

export const DEAD_LETTER_PATH = `${DEAD_LETTERS_PATH}/:id`;

/** One dead letter with its attempts and its body. */
export class DeadLetterScreen implements Screen {
  readonly path = DEAD_LETTER_PATH;
  readonly name = 'deadLetters';
  readonly audience = 'operators';

  constructor(private readonly deadLetters: Pick<DeadLetters, 'show'>) {}

  show(visit: Visit): Promise<View> {
    return this.view(visit, doneNotice(visit));
  }

  /** With something on top that a form led to. @throws HttpError 404 */
  async view(visit: Visit, notice?: Html, status = 200): Promise<View> {
    const { language, params, viewer } = visit;
    const texts = deadLetterTexts[language];
    const letter = await this.deadLetters.show(params['id'] ?? '');
    if (letter === undefined) throw notFound(texts.unknown);
    const { id, reason, history, body } = letter;
    const { text, bytes, cutAt } = shownBody(body);
    const number = (value: number): string => shownNumber(value, language);
    const { body: bodyTitle, cut, story } = deliveryTexts[language];
    const actions = html`<div class="actions">
${reason !== 'malformed' && button(visit, `${deadLetterPath(id)}/replay`, texts.replayOne)}
${button(visit, `${deadLetterPath(id)}/remove`, texts.removeOne)}</div>`;
    const content = html`<h1>${texts.one}</h1>
${noticeBox(notice)}
${facts(letter, language)}
${mayChange(viewer) && actions}
<h2>${story}</h2>
<ol class="story">${history.map((each) => attemptItem(each, language))}</ol>
<h2>${bodyTitle}</h2>
${cutAt !== undefined && html`<p class="hint">${cut(number(cutAt), number(bytes))}</p>`}
<pre class="body" id="body" tabindex="0" role="region" aria-label="${bodyTitle}">${reason === 'malformed' ? text : indented(text)}</pre>`;
    return { title: texts.one, body: content, status, live: deadLetterPath(id) };
  }
}

function facts(letter: DeadLetterDetails, language: Language): Html {
  const texts = deadLetterTexts[language];
  const { event, time } = oneDestinationTexts[language];
  const { fields, id: idLabel } = deliveryTexts[language];
  const { id, reason, detail, at, instance, destination } = letter;
  return html`<dl class="facts">
<div><dt>${texts.reason}</dt><dd>${reasonName(reason, language)}</dd></div>
${detail !== undefined && html`<div><dt>${texts.detail}</dt><dd>${detail}</dd></div>`}
<div><dt>${time}</dt><dd>${shownMoment(at)}</dd></div>
<div><dt>${event}</dt><dd>${letter.event}</dd></div>
<div><dt>${fields.instance}</dt><dd>${instance}</dd></div>
<div><dt>${destinationTexts[language].destination}</dt><dd>${nameOfDestination(destination, language)}</dd></div>
<div><dt>${idLabel}</dt><dd class="address">${id}</dd></div></dl>`;
}

function attemptItem({ attempt, at, durationMs, outcome }: AttemptRecord, language: Language): Html {
  const texts = deliveryTexts[language];
  const status = 'status' in outcome ? outcome.status : undefined;
  const code = 'code' in outcome ? outcome.code : undefined;
  const answer = 'answer' in outcome ? outcome.answer : undefined;
  const detail = [status, code].filter((each) => each !== undefined && each !== '').join(' ');
  return html`<li>${shownMoment(at)} <span class="badge ${outcome.kind}">${texts.happenings[outcome.kind]}</span>
${texts.attempt(shownNumber(attempt, language))}, ${shownMs(durationMs, language)} ${detail}
${answer !== undefined && answer !== '' && html`<pre class="small">${answer}</pre>`}</li>`;
}
