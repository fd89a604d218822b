import type { DestinationHealth } from '../../health/destination-list';
import type { AttemptFigures } from '../attempt-figures';
import { destinationLink } from '../destination-name';
import { type Html, html } from '../html';
import type { Language } from '../language';
import { shownAge, shownMoment, shownMs, shownNumber, shownShare } from '../shown-values';
import { destinationTexts } from '../texts/destination-texts';

export interface DestinationTable {
  /** With the ages of what waits. */
  readonly destinations: readonly DestinationHealth[];
  readonly figures: ReadonlyMap<string, AttemptFigures>;
  readonly now: number;
  readonly language: Language;
}

export function destinationTable({ destinations, figures, now, language }: DestinationTable): Html {
  const texts = destinationTexts[language];
  if (destinations.length === 0) return html`<p class="nothing">${texts.none}</p>`;
  const rows = destinations.map((each) => rowOf(each, { figures: figures.get(each.id), now, language }));
  return html`<div class="wide"><table class="rows">
<thead><tr><th scope="col">${texts.destination}</th><th scope="col">${texts.state}</th><th scope="col">${texts.since}</th>
<th scope="col" class="number">${texts.waiting}</th><th scope="col" class="number">${texts.oldest}</th>
<th scope="col" class="number" title="${texts.failuresHint}">${texts.failures}</th><th scope="col" class="number" title="${texts.failuresHint}">${texts.p99}</th>
<th scope="col">${texts.lastError}</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

interface RowContext {
  readonly figures: AttemptFigures | undefined;
  readonly now: number;
  readonly language: Language;
}

function rowOf(destination: DestinationHealth, { figures, now, language }: RowContext): Html {
  const texts = destinationTexts[language];
  const { id, state, since, waiting, oldest } = destination;
  return html`<tr>
<th scope="row">${destinationLink(id, language)}</th>
<td data-label="${texts.state}">${stateBadge(state, language)}</td>
<td data-label="${texts.since}">${shownMoment(since)}</td>
<td data-label="${texts.waiting}" class="number">${shownNumber(waiting, language)}</td>
<td data-label="${texts.oldest}" class="number">${oldest === undefined ? '–' : shownAge(now - oldest)}</td>
<td data-label="${texts.failures}" class="number">${shownShare(figures?.failureShare, language)}</td>
<td data-label="${texts.p99}" class="number">${shownMs(figures?.p99Ms, language)}</td>
<td data-label="${texts.lastError}">${lastErrorOf(destination)}</td>
</tr>`;
}

export function stateBadge(state: DestinationHealth['state'], language: Language): Html {
  return html`<span class="badge ${state}">${destinationTexts[language].states[state]}</span>`;
}

export function lastErrorOf({ code = '' }: Pick<DestinationHealth, 'code'>): string {
  return code === '' ? '–' : code;
}
