import { instanceOf } from '../../destinations/destination-ids';
import type { DestinationHealth } from '../../health/destination-list';
import { destinationPath } from '../destination-name';
import { type Html, html } from '../html';
import { csrfField } from '../layout';
import type { Visit } from '../screen';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { mayChange } from '../viewer';

export interface FormsContext {
  readonly destination: DestinationHealth;
  /** As it is set, masked; undefined where it has none that may be changed. */
  readonly address: string | undefined;
  readonly canTest: boolean;
}

export const PERIODS = ['1h', '3h', '24h', '7d'] as const;
export const REPLAYED = ['all', 'dead', 'delivered'] as const;
export const DEFAULT_PER_SECOND = 100;
export const MOST_PER_SECOND = 10_000;

/** What a viewer may do with one destination. */
export function destinationForms(visit: Visit, { destination, address, canTest }: FormsContext): Html {
  if (!mayChange(visit.viewer)) return html``;
  const texts = oneDestinationTexts[visit.language];
  const path = destinationPath(destination.id);
  const isResumable = destination.state === 'suspended' || destination.state === 'failing';
  return html`<div class="actions">
${destination.state !== 'suspended' && button(visit, `${path}/suspend`, texts.suspend)}
${isResumable && button(visit, `${path}/resume`, texts.resume)}
${canTest && button(visit, `${path}/test`, texts.test)}
</div>
${address !== undefined && addressForm(visit, { path, address })}
${address === undefined && instanceOf(destination.id) === undefined && html`<p class="hint">${texts.fromConfiguration}</p>`}
${visit.viewer.kind === 'operator' && replayForm(visit, path)}`;
}

export function button({ session }: Visit, action: string, label: string): Html {
  return html`<form method="post" action="${action}">${csrfField(session)}<button>${label}</button></form>`;
}

function addressForm(
  { session, language }: Visit,
  { path, address }: { readonly path: string; readonly address: string },
): Html {
  const texts = oneDestinationTexts[language];
  return html`<details id="change-address"><summary>${texts.changeAddress}</summary>
<form class="fields" method="post" action="${path}/address">${csrfField(session)}
<label for="address">${texts.newAddress}</label>
<input id="address" name="address" type="url" required maxlength="2048" spellcheck="false" value="${address}">
<button class="primary">${texts.save}</button></form></details>`;
}

function replayForm({ session, language }: Visit, path: string): Html {
  const texts = oneDestinationTexts[language];
  const periods = PERIODS.map(
    (each) =>
      html`<option value="${each}"${each === '24h' && html` selected`}>${texts.lastHours[each]}</option>`,
  );
  const which = REPLAYED.map((each) => html`<option value="${each}">${texts[each]}</option>`);
  return html`<details id="replay"><summary>${texts.replay}</summary>
<form class="fields" method="post" action="${path}/replay">${csrfField(session)}
<label for="period">${texts.period}</label><select id="period" name="period">${periods}</select>
<label for="which">${texts.which}</label><select id="which" name="which">${which}</select>
<label for="per-second">${texts.perSecond}</label>
<input id="per-second" name="perSecond" type="number" min="1" max="${MOST_PER_SECOND}" value="${DEFAULT_PER_SECOND}" required>
<button name="preview" value="yes">${texts.preview}</button>
<button class="primary">${texts.replay}</button></form></details>`;
}
