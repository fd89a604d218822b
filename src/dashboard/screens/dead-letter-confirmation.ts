import type { Survey } from '../dead-letter-surveys';
import { type Html, html, path } from '../html';
import { csrfField } from '../layout';
import type { Visit } from '../screen';
import { shownNumber } from '../shown-values';
import { deadLetterTexts } from '../texts/dead-letter-texts';
import { mayChange } from '../viewer';
import type { DeliverySearch } from './delivery-search';

export interface ConfirmationParts {
  readonly survey: Survey;
  readonly search: DeliverySearch;
  readonly now: number;
}

/** What would happen to how many, before it does: the address asks for it, and changes nothing. */
export function confirmation(visit: Visit, { survey, search, now }: ConfirmationParts): Html | undefined {
  const { query, viewer, language, session } = visit;
  const what = query['confirm'];
  if ((what !== 'replay' && what !== 'remove') || !mayChange(viewer)) return undefined;
  const texts = deadLetterTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  const { count, replayable, isComplete } = survey;
  if (!isComplete)
    return html`<div class="confirm" role="status" id="confirm"><p>${texts.counting(number(count))}</p></div>`;
  const line =
    what === 'remove'
      ? texts.confirmRemove(number(count))
      : texts.confirmReplay(number(replayable), number(count - replayable));
  const isAny = (what === 'remove' ? count : replayable) > 0;
  const form = html`<form method="post" action="/dashboard/dead-letters/${what}-all">${csrfField(session)}
${fieldsOf(search, now)}<button class="primary">${what === 'remove' ? texts.remove : texts.replay}</button></form>`;
  return html`<div class="confirm" role="status" id="confirm"><p id="preview">${line} ${texts.background}</p>
${isAny && form} <a href="${path('/dashboard/dead-letters', search.given)}">${texts.cancel}</a></div>`;
}

/** With fixed times: what came after it was counted is not meant. */
function fieldsOf({ filter }: DeliverySearch, now: number): Html[] {
  const until = Math.min(now, filter.until ?? now);
  const { since } = filter;
  const fixed: Readonly<Record<string, unknown>> = {
    ...filter,
    since: since === undefined ? undefined : new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  };
  return Object.entries(fixed).flatMap(([name, value]) =>
    value === undefined ? [] : [html`<input type="hidden" name="${name}" value="${String(value)}">`],
  );
}
