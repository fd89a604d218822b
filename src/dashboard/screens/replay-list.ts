import type { Replay } from '../../replays/replay-store';
import { type Html, html } from '../html';
import { csrfField } from '../layout';
import type { Visit } from '../screen';
import { shownMoment, shownNumber } from '../shown-values';
import { oneDestinationTexts } from '../texts/one-destination-texts';

export interface ReplayListParts {
  readonly replays: readonly Replay[];
  /** The page that shows them, which a cancelled one comes back to. */
  readonly back: string;
}

/** Replays with how far they are; those under way can be cancelled. */
export function replayList(visit: Visit, { replays, back }: ReplayListParts): Html {
  const texts = oneDestinationTexts[visit.language];
  return html`<h2>${texts.replays}</h2><ul class="replays">${replays.map((each) => item(visit, each, back))}</ul>`;
}

function item(
  { session, viewer, language }: Visit,
  { id, state, begun, progress }: Replay,
  back: string,
): Html {
  const texts = oneDestinationTexts[language];
  const number = (value: number): string => shownNumber(value, language);
  const cancel = html`<form method="post" action="${`${back}/cancel-replay`}">${csrfField(session)}
<input type="hidden" name="replay" value="${id}"><button>${texts.cancel}</button></form>`;
  return html`<li>${shownMoment(begun)} <span class="badge ${state}">${texts.replayStates[state]}</span>
${texts.replayed(number(progress.replayed), number(progress.seen))}
${state === 'running' && viewer.kind === 'operator' && cancel}</li>`;
}
