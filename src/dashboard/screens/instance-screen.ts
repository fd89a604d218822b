import { fromStore } from '../../errors';
import { notFound } from '../../http-api/http-errors';
import { isInstanceName } from '../../http-api/instance-name';
import type { SilenceStore } from '../../silence/silence-store';
import type { DeliveryReader } from '../delivery-reader';
import { destinationLink } from '../destination-name';
import { type Html, html, path } from '../html';
import { type InstanceKnown, knownOf } from '../instance-list';
import type { Language } from '../language';
import { noticeBox } from '../layout';
import type { Overviews } from '../overviews';
import type { OwnApi } from '../own-api';
import type { Screen, View, Visit } from '../screen';
import type { SectionReader } from '../section-reader';
import { shownMoment, shownNumber } from '../shown-values';
import { instanceTexts } from '../texts/instance-texts';
import { settingsFormTexts } from '../texts/settings-form-texts';
import { instanceSeen } from '../viewer';
import { fieldsOfRow, type WebhookFields } from '../webhook-fields';
import { DELIVERIES_PATH } from './deliveries-screen';
import { stateBadge } from './destination-table';
import { connectionOf, INSTANCES_PATH, instancePath, stateOfInstance } from './instances-screen';
import { rhythmView } from './rhythm-view';
import { sectionLinks } from './section-links';
import { TAIL_PATH } from './tail-screen';
import { type FieldLine, webhookForm } from './webhook-form';

export interface InstanceScreenParts {
  readonly api: OwnApi;
  readonly overviews: Overviews;
  readonly silence: Pick<SilenceStore, 'instance'>;
  readonly reader: DeliveryReader;
  readonly sections: SectionReader;
}

/** What a form left on the page. */
export interface FormState {
  readonly fields: WebhookFields;
  readonly problems: readonly FieldLine[];
  readonly notice: Html;
  readonly status: number;
}

const DESTINATIONS = 20;

/** One instance: whether it is connected and lively, and its settings. */
export class InstanceScreen implements Screen {
  readonly path = `${INSTANCES_PATH}/one`;
  readonly name = 'instances';
  readonly audience = 'everybody';

  constructor(private readonly parts: InstanceScreenParts) {}

  show(visit: Visit): Promise<View> {
    return this.view(visit, this.nameIn(visit, visit.query['instance']));
  }

  /** @throws HttpError 404 for what belongs to somebody else, or is no name */
  nameIn({ viewer, language }: Visit, given: string | undefined): string {
    const own = instanceSeen(viewer);
    const name = given ?? '';
    if (!isInstanceName(name) || (own !== undefined && own !== name))
      throw notFound(instanceTexts[language].none);
    return name;
  }

  /** @param form where one was refused, or tried: the page then stays as it is, with what was typed */
  async view(visit: Visit, instance: string, form?: FormState): Promise<View> {
    const { language } = visit;
    const texts = instanceTexts[language];
    const { watched, silence } = await fromStore(this.parts.silence.instance(instance));
    const known = knownOf(instance, watched, silence);
    const saved = form === undefined && visit.query['done'] === 'saved';
    const body = html`<h1>${instance}</h1>
${noticeBox(saved ? html`<p class="notice good" role="status">${settingsFormTexts[language].saved}</p>` : form?.notice)}
${facts(known, { lastEventAt: await this.lastEventAt(visit, instance), language })}
<p class="actions"><a href="${path(DELIVERIES_PATH, { instance })}">${texts.deliveries}</a> <a href="${path(TAIL_PATH, { instance })}">${texts.liveTail}</a></p>
${await this.destinations(visit, instance)}
<h2>${settingsFormTexts[language].title}</h2>
${await this.settings(visit, instance, form)}
${await sectionLinks(visit, this.parts.sections, instance)}
<h2>${texts.rhythm}</h2>
${watched === undefined ? html`<p class="nothing">${texts.noRhythm}</p>` : rhythmView(watched.rhythm.rates, language)}`;
    const live = instancePath(instance);
    if (form === undefined) return { title: instance, body, live };
    return { title: instance, body, live, status: form.status, isStill: true };
  }

  private async lastEventAt({ viewer }: Visit, instance: string): Promise<number | undefined> {
    const search = { limit: 1, question: { instance } };
    const [record] = await this.parts.reader.recent(viewer, { instance }, search);
    return record?.at;
  }

  private async destinations({ language }: Visit, instance: string): Promise<Html | false> {
    const { destinations } = await this.parts.overviews.current();
    const own = destinations.of(instance).slice(0, DESTINATIONS);
    if (own.length === 0) return false;
    const items = own.map(
      ({ id, state }) => html`<li>${destinationLink(id, language)} ${stateBadge(state, language)}</li>`,
    );
    return html`<h2>${instanceTexts[language].destinations}</h2><ul>${items}</ul>`;
  }

  private async settings(visit: Visit, instance: string, form: FormState | undefined): Promise<Html> {
    if (form !== undefined) return webhookForm(visit, { instance, ...form });
    const url = `/webhook/find/${encodeURIComponent(instance)}`;
    const { isOk, body, problems } = await this.parts.api.ask(visit.viewer, { method: 'GET', url });
    const fields = isOk ? fieldsOfRow(body) : undefined;
    if (fields !== undefined) return webhookForm(visit, { instance, fields, problems: [] });
    const { unreadable } = settingsFormTexts[visit.language];
    return html`<p class="notice" role="status">${unreadable} ${problems.join(' ')}</p>`;
  }
}

interface FactsContext {
  readonly lastEventAt: number | undefined;
  readonly language: Language;
}

function facts(known: InstanceKnown, { lastEventAt, language }: FactsContext): Html {
  const texts = instanceTexts[language];
  const { silence, lastMessageAt, perDay } = known;
  return html`<dl class="facts">
<div><dt>${texts.state}</dt><dd>${stateOfInstance(known, language)}</dd></div>
${silence !== undefined && html`<div><dt>${texts.silentSince}</dt><dd>${shownMoment(silence.since)}</dd></div>`}
<div><dt>${texts.connection}</dt><dd class="address">${connectionOf(known, language)}</dd></div>
<div><dt>${texts.lastEvent}</dt><dd class="address">${shownMoment(lastEventAt)}</dd></div>
<div><dt>${texts.lastMessage}</dt><dd class="address">${shownMoment(lastMessageAt)}</dd></div>
<div><dt>${texts.perDay}</dt><dd>${perDay === undefined ? '–' : shownNumber(perDay, language)}</dd></div></dl>`;
}
