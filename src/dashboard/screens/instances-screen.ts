import { type Html, html, path } from '../html';
import { INSTANCE_STATES, type InstanceKnown, type InstanceList } from '../instance-list';
import type { Language } from '../language';
import type { ScreenSet, View, Visit } from '../screen';
import { shownMoment, shownNumber } from '../shown-values';
import { commonTexts } from '../texts/common-texts';
import { instanceTexts } from '../texts/instance-texts';
import { instanceSeen } from '../viewer';

export const INSTANCES_PATH = '/dashboard/instances';
const PAGE = 50;
/** No instance's name is longer. */
const MAX_SEARCH = 255;

/** What the address of the list says. */
interface Filter {
  readonly search: string;
  readonly state: string;
  readonly offset: number;
}

export function instancePath(instance: string): string {
  return path(`${INSTANCES_PATH}/one`, { instance });
}

/** All instances, the silent ones first; an instance's token sees its own. */
export function instancesScreen(instances: InstanceList): ScreenSet {
  const show = async (visit: Visit): Promise<View> => {
    const { language, viewer } = visit;
    const texts = instanceTexts[language];
    const filter = filterOf(visit.query);
    const own = instanceSeen(viewer);
    const all = (await instances.current()).filter((each) => isFound(each, filter, own));
    const page = all.slice(filter.offset, filter.offset + PAGE);
    const body = html`<h1>${texts.title}</h1>
${filterForm(filter, language)}
${table(page, language)}
<p class="hint">${texts.hourOld}</p>
${pager(filter, { shown: page.length, total: all.length, language })}
${own === undefined && openForm(language)}
${own !== undefined && html`<p><a href="${instancePath(own)}">${own}</a></p>`}`;
    return { title: texts.title, body };
  };
  return { screens: [{ path: INSTANCES_PATH, name: 'instances', audience: 'everybody', show }] };
}

function filterOf({ search = '', state = '', offset = '' }: Visit['query']): Filter {
  return {
    search: search.slice(0, MAX_SEARCH),
    state,
    offset: /^\d{1,7}$/.test(offset) ? Number(offset) : 0,
  };
}

function isFound({ name, state }: InstanceKnown, filter: Filter, own: string | undefined): boolean {
  if (own !== undefined && name !== own) return false;
  if (filter.state !== '' && state !== filter.state) return false;
  return name.toLowerCase().includes(filter.search.toLowerCase());
}

function filterForm({ search, state }: Filter, language: Language): Html {
  const texts = instanceTexts[language];
  const options = INSTANCE_STATES.map(
    (each) =>
      html`<option value="${each}"${each === state && html` selected`}>${texts.states[each]}</option>`,
  );
  return html`<form class="filter" method="get" action="${INSTANCES_PATH}" role="search">
<label for="search">${texts.name}</label>
<input id="search" name="search" type="search" maxlength="${MAX_SEARCH}" value="${search}">
<label for="state">${texts.state}</label>
<select id="state" name="state"><option value="">${texts.anyState}</option>${options}</select>
<button>${texts.filter}</button></form>`;
}

/** One that nothing is known of yet, to set something for it. */
function openForm(language: Language): Html {
  const texts = instanceTexts[language];
  return html`<form class="filter" method="get" action="${INSTANCES_PATH}/one">
<label for="instance">${texts.openByName}</label>
<input id="instance" name="instance" required maxlength="${MAX_SEARCH}" autocapitalize="none" spellcheck="false">
<button>${texts.go}</button></form>`;
}

function table(instances: readonly InstanceKnown[], language: Language): Html {
  const texts = instanceTexts[language];
  if (instances.length === 0) return html`<p class="nothing">${texts.none}</p>`;
  const rows = instances.map((each) => {
    const { name, lastMessageAt, perDay, silence } = each;
    return html`<tr><th scope="row"><a href="${instancePath(name)}">${name}</a></th>
<td data-label="${texts.state}">${stateOfInstance(each, language)}</td>
<td data-label="${texts.silentSince}">${shownMoment(silence?.since)}</td>
<td data-label="${texts.connection}">${connectionOf(each, language)}</td>
<td data-label="${texts.lastMessage}">${shownMoment(lastMessageAt)}</td>
<td data-label="${texts.perDay}" class="number">${perDay === undefined ? '–' : shownNumber(perDay, language)}</td></tr>`;
  });
  return html`<div class="wide"><table class="rows"><thead><tr><th scope="col">${texts.instance}</th><th scope="col">${texts.state}</th>
<th scope="col">${texts.silentSince}</th><th scope="col">${texts.connection}</th><th scope="col">${texts.lastMessage}</th>
<th scope="col" class="number">${texts.perDay}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function stateOfInstance({ state, silence }: InstanceKnown, language: Language): Html {
  const texts = instanceTexts[language];
  return html`<span class="badge ${state}">${texts.states[state]}</span>${
    silence !== undefined && html`<small>${texts.reasons[silence.why]}</small>`
  }`;
}

/** Nothing says that a connection is open but that it was opened, and not closed since. */
export function connectionOf({ closedAt, state }: InstanceKnown, language: Language): Html {
  const texts = instanceTexts[language];
  if (closedAt !== undefined) return html`${texts.closed} ${shownMoment(closedAt)}`;
  return html`${state === 'unheard' ? texts.unknownConnection : texts.open}`;
}

interface Paging {
  readonly shown: number;
  readonly total: number;
  readonly language: Language;
}

function pager({ search, state, offset }: Filter, { shown, total, language }: Paging): Html {
  const texts = commonTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  const to = (next: number): string => path(INSTANCES_PATH, { search, state, offset: next });
  const range = texts.range(number(shown === 0 ? 0 : offset + 1), number(offset + shown), number(total));
  return html`<nav class="pager" aria-label="${range}"><span>${range}</span>
${offset > 0 && html`<a href="${to(Math.max(0, offset - PAGE))}" rel="prev">${texts.previous}</a>`}
${offset + shown < total && html`<a href="${to(offset + PAGE)}" rel="next">${texts.next}</a>`}</nav>`;
}
