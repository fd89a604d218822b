import { type Html, html, path } from '../html';
import type { Language } from '../language';
import type { Visit } from '../screen';
import { shownNumber } from '../shown-values';
import { commonTexts } from '../texts/common-texts';

/** Rows of one page of a list. */
export const PAGE = 50;

/** What the address of a list says. */
export interface ListFilter {
  readonly search: string;
  readonly state: string;
  readonly offset: number;
}

/** @param maxSearch characters of `search` that are looked for */
export function listFilterOf(
  { search = '', state = '', offset = '' }: Visit['query'],
  maxSearch: number,
): ListFilter {
  const at = /^\d{1,7}$/.test(offset) ? Number(offset) : 0;
  return { search: search.slice(0, maxSearch), state, offset: at };
}

export interface ListForm<State extends string> {
  readonly action: string;
  readonly maxSearch: number;
  readonly searchLabel: string;
  readonly states: readonly State[];
  readonly texts: {
    readonly state: string;
    readonly anyState: string;
    readonly filter: string;
    readonly states: Readonly<Record<State, string>>;
  };
}

/** The form that changes the address. */
export function listForm<State extends string>(
  { search, state }: ListFilter,
  { action, maxSearch, searchLabel, states, texts }: ListForm<State>,
): Html {
  const options = states.map(
    (each) =>
      html`<option value="${each}"${each === state && html` selected`}>${texts.states[each]}</option>`,
  );
  return html`<form class="filter" method="get" action="${action}" role="search">
<label for="search">${searchLabel}</label>
<input id="search" name="search" type="search" maxlength="${maxSearch}" value="${search}">
<label for="state">${texts.state}</label>
<select id="state" name="state"><option value="">${texts.anyState}</option>${options}</select>
<button>${texts.filter}</button>
</form>`;
}

export interface Paging {
  readonly action: string;
  readonly shown: number;
  readonly total: number;
  readonly language: Language;
}

/** Which rows these are of how many, and the ways to those before and behind them. */
export function pager(
  { search, state, offset }: ListFilter,
  { action, shown, total, language }: Paging,
): Html {
  const texts = commonTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  const to = (next: number): string => path(action, { search, state, offset: next <= 0 ? undefined : next });
  const isBeyond = shown === 0;
  const range = texts.range(
    number(isBeyond ? 0 : offset + 1),
    number(isBeyond ? 0 : offset + shown),
    number(total),
  );
  // An old bookmark may lead far beyond the end of a list.
  const before = Math.min(offset - PAGE, Math.max(0, Math.ceil(total / PAGE) - 1) * PAGE);
  return html`<nav class="pager" aria-label="${range}"><span>${range}</span>
${offset > 0 && html`<a href="${to(before)}" rel="prev">${texts.previous}</a>`}
${offset + shown < total && html`<a href="${to(offset + PAGE)}" rel="next">${texts.next}</a>`}</nav>`;
}
