import type { DestinationHealth } from '../../health/destination-list';
import { causeWords, failureCauseOf } from '../../pipeline/failure-cause';
import { ageText } from '../../time/age-text';
import { destinationLink } from '../destination-name';
import { type Html, html, type Piece } from '../html';
import type { Language } from '../language';
import { type Sentence, severityOf } from '../sentence';
import { shownMoment, shownNumber } from '../shown-values';
import { causeTexts } from '../texts/cause-texts';
import { sentenceTexts } from '../texts/sentence-texts';

/** The sentence on top of the first screen, in the viewer's language. */
export function sentenceView(sentence: Sentence, language: Language): Html {
  return html`<p class="sentence ${severityOf(sentence)}">${wordsOf(sentence, language)}</p>`;
}

function wordsOf(sentence: Sentence, language: Language): Piece {
  const texts = sentenceTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  switch (sentence.kind) {
    case 'well':
      return texts.well;
    case 'no-worker':
      return texts.noWorker(sentence.msAgo === undefined ? undefined : ageText(sentence.msAgo));
    case 'difference':
      return texts.difference(number(sentence.count));
    case 'suspended':
    case 'failing':
    case 'rejecting': {
      const { destination, others } = sentence;
      const words = texts[sentence.kind](refusalOf(destination, language));
      return others === 0 ? words : html`${words} ${texts.others(number(others))}`;
    }
    case 'unread':
      return texts.unread(sentence.queue, number(sentence.messages));
    case 'silent': {
      const words = texts.silent(sentence.instance, shownMoment(sentence.since));
      return sentence.others === 0 ? words : html`${words} ${texts.otherSilent(number(sentence.others))}`;
    }
    case 'dead':
      return texts.dead(number(sentence.count));
    case 'waiting':
      return texts.waiting(number(sentence.count), number(sentence.destinations));
  }
}

function refusalOf(
  { id, since, by, code = '', waiting, nextAttempt }: DestinationHealth,
  language: Language,
) {
  const texts = sentenceTexts[language];
  const cause = { person: texts.byPerson, gone: texts.gone, time: texts.time };
  const why = [by === undefined ? '' : cause[by], by === 'person' ? '' : code];
  return {
    who: destinationLink(id, language),
    since: shownMoment(since),
    isAnswer: failureCauseOf(code) === 'refused',
    cause: by === 'person' ? '' : causeWords(code, causeTexts[language]),
    why: why.filter((each) => each !== '').join(', '),
    waiting: shownNumber(waiting, language),
    next: nextAttempt === undefined ? undefined : shownMoment(nextAttempt),
  };
}
