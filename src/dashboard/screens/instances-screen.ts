import { type Html, html, path } from '../html';
import { INSTANCE_STATES, type InstanceKnown, type InstanceList } from '../instance-list';
import type { Language } from '../language';
import type { ScreenSet, View, Visit } from '../screen';
import { SharedViews } from '../shared-views';
import { shownMoment, shownNumber } from '../shown-values';
import { instanceTexts } from '../texts/instance-texts';
import { instanceSeen } from '../viewer';
import { type ListFilter, listFilterOf, listForm, PAGE, pager } from './list-view';

export const INSTANCES_PATH = '/dashboard/instances';
/** No instance's name is longer. */
const MAX_SEARCH = 255;

export function instancePath(instance: string): string {
  return path(`${INSTANCES_PATH}/one`, { instance });
}

type Readings = readonly [instances: readonly InstanceKnown[]];

interface Asked {
  readonly language: Language;
  /** The one that a viewer is kept to. */
  readonly own: string | undefined;
  readonly filter: ListFilter;
}

/** All instances, the silent ones first; an instance's token sees its own. */
export function instancesScreen(instances: InstanceList): ScreenSet {
  const views = new SharedViews<Readings, Asked>(async (readings, asked) => viewOf(readings, asked));
  const show = async ({ language, viewer, query }: Visit): Promise<View> => {
    const filter = listFilterOf(query, MAX_SEARCH);
    return views.of([await instances.current()], { language, own: instanceSeen(viewer), filter });
  };
  return { screens: [{ path: INSTANCES_PATH, name: 'instances', audience: 'everybody', show }] };
}

function viewOf([instances]: Readings, { language, own, filter }: Asked): View {
  const texts = instanceTexts[language];
  const all = instances.filter((each) => isFound(each, filter, own));
  const page = all.slice(filter.offset, filter.offset + PAGE);
  const form = {
    action: INSTANCES_PATH,
    maxSearch: MAX_SEARCH,
    searchLabel: texts.name,
    states: INSTANCE_STATES,
    texts,
  };
  const body = html`<h1>${texts.title}</h1>
${listForm(filter, form)}
${table(page, language)}
<p class="hint">${texts.hourOld}</p>
${pager(filter, { action: INSTANCES_PATH, shown: page.length, total: all.length, language })}
${own === undefined && openForm(language)}
${own !== undefined && html`<p><a href="${instancePath(own)}">${own}</a></p>`}`;
  return { title: texts.title, body };
}

function isFound({ name, state }: InstanceKnown, filter: ListFilter, own: string | undefined): boolean {
  if (own !== undefined && name !== own) return false;
  if (filter.state !== '' && state !== filter.state) return false;
  return name.toLowerCase().includes(filter.search.toLowerCase());
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
