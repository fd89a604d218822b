import { HttpError } from '../../http-api/http-errors';
import { html, path } from '../html';
import type { ApiAnswer, OwnApi } from '../own-api';
import type { Action, Done, Visit } from '../screen';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { deliveryPath } from './deliveries-screen';
import { DELIVERY_PATH, type DeliveryScreen } from './delivery-screen';

export interface DeliveryActionsParts {
  readonly api: OwnApi;
  readonly screen: DeliveryScreen;
}

/** Deliver one delivery again, and cancel that. */
export function deliveryActions(parts: DeliveryActionsParts): Action[] {
  const { api, screen } = parts;
  const action = (
    what: 'replay' | 'cancel-replay',
    ask: (visit: Visit, form: URLSearchParams) => Promise<ApiAnswer>,
  ): Action => ({
    path: `${DELIVERY_PATH}/${what}`,
    name: 'deliveries',
    audience: 'operators',
    perform: async (visit, form) => {
      await screen.find(visit);
      return ended(parts, visit, {
        done: what === 'replay' ? 'replay' : 'cancel',
        answer: await ask(visit, form),
      });
    },
  });
  return [
    action('replay', ({ viewer, params }) =>
      api.ask(viewer, { method: 'POST', url: '/deliveries/replay', body: { id: params['id'] } }),
    ),
    action('cancel-replay', ({ viewer }, form) =>
      api.ask(viewer, { method: 'DELETE', url: `/replays/${encodeURIComponent(form.get('replay') ?? '')}` }),
    ),
  ];
}

async function ended(
  { screen }: DeliveryActionsParts,
  visit: Visit,
  { done, answer }: { readonly done: 'replay' | 'cancel'; readonly answer: ApiAnswer },
): Promise<Done> {
  const { isOk, status, problems } = answer;
  if (isOk) return { kind: 'go', to: path(deliveryPath(visit.params['id'] ?? ''), { done }) };
  // The page around it could not be shown either.
  if (status === 503) throw new HttpError(503, problems);
  const { refused } = oneDestinationTexts[visit.language];
  const notice = html`<p class="notice" role="alert">${refused} ${problems.join(' ')}</p>`;
  return { kind: 'show', view: await screen.view(visit, notice, status) };
}
