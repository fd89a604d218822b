import { z } from 'zod';
import { HttpError } from '../../http-api/http-errors';
import { destinationPath } from '../destination-name';
import { type Html, html, path } from '../html';
import type { ApiAnswer, OwnApi } from '../own-api';
import type { Action, Done, Visit } from '../screen';
import { shownMs, shownNumber } from '../shown-values';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import type { DestinationAddresses } from './destination-addresses';
import { DEFAULT_PER_SECOND, MOST_PER_SECOND, PERIODS, REPLAYED } from './destination-forms';
import { DESTINATION_PATH, type DestinationScreen } from './destination-screen';

export interface DestinationActionsParts {
  readonly api: OwnApi;
  readonly addresses: DestinationAddresses;
  readonly screen: DestinationScreen;
}

type DoneWord = keyof (typeof oneDestinationTexts)['en']['done'];

const replaySchema = z.object({
  period: z.enum(PERIODS).catch('24h'),
  which: z.enum(REPLAYED).catch('all'),
  perSecond: z.coerce.number().int().min(1).max(MOST_PER_SECOND).catch(DEFAULT_PER_SECOND),
});
const previewSchema = z.object({ seen: z.number(), replayable: z.number(), withoutBody: z.number() });
const testSchema = z.object({
  outcome: z.enum(['delivered', 'failed', 'rejected', 'interrupted', 'discarded']),
  status: z.number().optional(),
  code: z.string().optional(),
  answer: z.string().optional(),
  durationMs: z.number().optional(),
});

/** What the forms of one destination do: each asks the route of the API that does it. */
export function destinationActions(parts: DestinationActionsParts): Action[] {
  const { api, addresses } = parts;
  const action = (
    what: string,
    perform: Action['perform'],
    audience: Action['audience'] = 'everybody',
  ): Action => ({
    path: `${DESTINATION_PATH}/${what}`,
    name: 'destinations',
    audience,
    perform: async (visit, form) => {
      // Somebody else's destination is not there for this viewer.
      await parts.screen.find(visit);
      return perform(visit, form);
    },
  });
  const state = (what: 'suspend' | 'resume') => async (visit: Visit) =>
    ended(parts, visit, {
      word: what,
      answer: await api.ask(visit.viewer, {
        method: 'POST',
        url: `/destinations/${encodeURIComponent(visit.params['id'] ?? '')}/${what}`,
      }),
    });
  return [
    action('suspend', state('suspend')),
    action('resume', state('resume')),
    action('test', (visit) => test(parts, visit)),
    action('address', async (visit, form) => {
      const { id } = await parts.screen.find(visit);
      const answer = await addresses.change(visit.viewer, id, form.get('address') ?? '');
      return ended(parts, visit, { word: 'address', answer });
    }),
    action('replay', (visit, form) => replay(parts, visit, form), 'operators'),
    action(
      'cancel-replay',
      async (visit, form) => {
        const url = `/replays/${encodeURIComponent(form.get('replay') ?? '')}`;
        return ended(parts, visit, {
          word: 'cancel',
          answer: await api.ask(visit.viewer, { method: 'DELETE', url }),
        });
      },
      'operators',
    ),
  ];
}

/** Goes on with the page of the destination; where there is something to say, it says that first. */
async function ended(
  parts: DestinationActionsParts,
  visit: Visit,
  { word, answer }: { readonly word: DoneWord; readonly answer: ApiAnswer },
): Promise<Done> {
  if (answer.isOk && answer.warnings.length === 0)
    return { kind: 'go', to: path(destinationPath(visit.params['id'] ?? ''), { done: word }) };
  const texts = oneDestinationTexts[visit.language];
  if (!answer.isOk) return refused(parts, visit, answer);
  return shown(
    parts,
    visit,
    html`<p class="notice" role="status">${texts.done[word]} ${answer.warnings.join(' ')}</p>`,
  );
}

function refused(
  parts: DestinationActionsParts,
  visit: Visit,
  { problems, status }: ApiAnswer,
): Promise<Done> {
  // The page around it could not be shown either.
  if (status === 503) throw new HttpError(503, problems);
  const { refused: begins } = oneDestinationTexts[visit.language];
  return shown(
    parts,
    visit,
    html`<p class="notice" role="alert">${begins} ${problems.join(' ')}</p>`,
    status,
  );
}

async function shown(
  { screen }: DestinationActionsParts,
  visit: Visit,
  notice: Html,
  status?: number,
): Promise<Done> {
  return { kind: 'show', view: await screen.view(visit, notice, status) };
}

async function test(parts: DestinationActionsParts, visit: Visit): Promise<Done> {
  const { id } = await parts.screen.find(visit);
  const answer = await parts.addresses.test(visit.viewer, id);
  if (!answer.isOk) return refused(parts, visit, answer);
  const texts = oneDestinationTexts[visit.language];
  const { outcome, status, code, durationMs, answer: said } = testSchema.parse(answer.body);
  const detail = [status, code].filter((each) => each !== undefined).join(' ');
  const line = texts.tested(
    texts.outcomes[outcome],
    detail === '' ? '' : ` (${detail})`,
    shownMs(durationMs, visit.language),
  );
  const kind = outcome === 'delivered' ? 'notice good' : 'notice';
  return shown(
    parts,
    visit,
    html`<p class="${kind}" role="status" id="test-result">${line}${said !== undefined && html` <code>${said}</code>`}</p>`,
  );
}

async function replay(parts: DestinationActionsParts, visit: Visit, form: URLSearchParams): Promise<Done> {
  const { id } = await parts.screen.find(visit);
  const { period, which, perSecond } = replaySchema.parse(Object.fromEntries(form));
  const isPreview = form.get('preview') !== null;
  const answer = await parts.api.ask(visit.viewer, {
    method: 'POST',
    url: '/deliveries/replay',
    body: {
      destination: id,
      since: period,
      ...(which === 'all' ? {} : { outcome: which }),
      perSecond,
      preview: isPreview,
    },
  });
  if (!isPreview || !answer.isOk) return ended(parts, visit, { word: 'replay', answer });
  const { seen, replayable, withoutBody } = previewSchema.parse(answer.body);
  const number = (value: number): string => shownNumber(value, visit.language);
  const line = oneDestinationTexts[visit.language].previewed(
    number(replayable),
    number(seen),
    number(withoutBody),
  );
  return shown(parts, visit, html`<p class="notice good" role="status" id="preview">${line}</p>`);
}
