import { type Html, html } from '../html';
import type { Language } from '../language';
import { shownNumber } from '../shown-values';
import { instanceTexts } from '../texts/instance-texts';

const HOURS = 24;

/** The usual messages of each hour of the week, Monday first, in UTC as they are learned. */
export function rhythmView(perHour: Float32Array, language: Language): Html {
  const texts = instanceTexts[language];
  const most = Math.max(...perHour);
  if (most === 0) return html`<p class="nothing">${texts.noRhythm}</p>`;
  const head = Array.from({ length: HOURS }, (_, hour) => html`<th scope="col">${hour}</th>`);
  const rows = texts.days.map((day, index) => {
    const hours = [...perHour.subarray(index * HOURS, (index + 1) * HOURS)];
    return html`<tr><th scope="row">${day}</th>${hours.map((rate) => cell(rate, { most, language }))}</tr>`;
  });
  return html`<div class="wide" tabindex="0" role="region" aria-label="${texts.rhythm}"><table class="rhythm" id="rhythm">
<thead><tr><td></td>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function cell(
  rate: number,
  { most, language }: { readonly most: number; readonly language: Language },
): Html {
  const level = rate === 0 ? '' : rate < most / 3 ? 'some' : 'many';
  const shown =
    rate === 0 ? '' : shownNumber(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate), language);
  return html`<td class="${level}">${shown}</td>`;
}
