import { z } from 'zod';
import { errorText } from '../../errors';
import { HttpError } from '../../http-api/http-errors';
import { type ReplaySpec, type ReplayStore, TooManyReplaysError } from '../../replays/replay-store';
import type { DeadLetterSurveys } from '../dead-letter-surveys';
import { html, path } from '../html';
import type { ApiAnswer, OwnApi } from '../own-api';
import type { Action, Done, Visit } from '../screen';
import { oneDestinationTexts } from '../texts/one-destination-texts';
import { DEAD_LETTER_PATH, type DeadLetterScreen } from './dead-letter-screen';
import { DEAD_LETTERS_PATH, type DeadLettersScreen } from './dead-letters-screen';
import { deliverySearch } from './delivery-search';

export interface DeadLetterActionsParts {
  readonly api: OwnApi;
  readonly store: Pick<ReplayStore, 'begin'>;
  readonly surveys: DeadLetterSurveys;
  readonly list: DeadLettersScreen;
  readonly one: DeadLetterScreen;
}

/** They lie in Redis already: to remove one costs little. */
const REMOVED_PER_SECOND = 2000;
const FIELDS = ['reason', 'instance', 'event', 'destination', 'since', 'until'] as const;
const problemsSchema = z.object({ problems: z.array(z.string()) });

/** Deliver dead letters again, or remove them for good: one, or all that match. */
export function deadLetterActions(parts: DeadLetterActionsParts): Action[] {
  const { api } = parts;
  const action = (where: string, perform: Action['perform']): Action => ({
    ...{ path: where, name: 'deadLetters', audience: 'operators' },
    perform: async (visit, form) => {
      const done = await perform(visit, form);
      parts.surveys.forget();
      return done;
    },
  });
  const one = (method: 'POST' | 'DELETE', url: string) => async (visit: Visit) => {
    const answer = await api.ask(visit.viewer, { method, url, body: { ids: [visit.params['id'] ?? ''] } });
    return endedOne(parts, visit, method === 'POST' ? 'replayed' : 'removed', answer);
  };
  return [
    action(`${DEAD_LETTER_PATH}/replay`, one('POST', '/dead-letters/replay')),
    action(`${DEAD_LETTER_PATH}/remove`, one('DELETE', '/dead-letters')),
    action(`${DEAD_LETTERS_PATH}/replay-all`, async (visit, form) => {
      const { since, until, ...names } = filterOf(form);
      const body = { ...names, ...isoTimes({ since, until }) };
      const answer = await api.ask(visit.viewer, { method: 'POST', url: '/dead-letters/replay', body });
      return answer.isOk ? goTo('replay') : refused(parts.list, visit, answer);
    }),
    action(`${DEAD_LETTERS_PATH}/remove-all`, async (_visit, form) => {
      await begin(parts, {
        what: 'dead-letters-removed',
        filter: filterOf(form),
        perSecond: REMOVED_PER_SECOND,
      });
      return goTo('remove');
    }),
    action(`${DEAD_LETTERS_PATH}/cancel-replay`, async (visit, form) => {
      const url = `/replays/${encodeURIComponent(form.get('replay') ?? '')}`;
      const answer = await api.ask(visit.viewer, { method: 'DELETE', url });
      return answer.isOk ? goTo('cancel') : refused(parts.list, visit, answer);
    }),
  ];
}

/** As a confirmation was made for it: always up to a moment, so that nothing means everything. @throws HttpError 400 */
function filterOf(form: URLSearchParams): Record<string, string | number> {
  const { filter, problems } = deliverySearch(Object.fromEntries(form), Date.now(), {
    of: 'dead-letters',
    fields: FIELDS,
  });
  if (problems.length > 0 || filter.until === undefined)
    throw new HttpError(400, ['the form has no filter that can be understood']);
  return Object.fromEntries(Object.entries(filter));
}

/** As the API takes them. */
function isoTimes(times: Readonly<Record<string, string | number | undefined>>): object {
  return Object.fromEntries(
    Object.entries(times).flatMap(([name, at]) =>
      at === undefined ? [] : [[name, new Date(at).toISOString()] as const],
    ),
  );
}

/** @throws HttpError 429 */
async function begin({ store }: DeadLetterActionsParts, spec: ReplaySpec): Promise<void> {
  try {
    await store.begin(spec);
  } catch (error) {
    if (error instanceof TooManyReplaysError) throw new HttpError(429, [errorText(error)]);
    throw error;
  }
}

function goTo(done: string): Done {
  return { kind: 'go', to: path(DEAD_LETTERS_PATH, { done }) };
}

/** What was removed has no page any more, and what is replayed is no dead letter. */
async function endedOne(
  { list, one }: DeadLetterActionsParts,
  visit: Visit,
  done: 'replayed' | 'removed',
  answer: ApiAnswer,
): Promise<Done> {
  const problems = problemsSchema.safeParse(answer.body).data?.problems ?? [];
  if (answer.isOk && problems.length === 0) return goTo(done);
  const screen = answer.isOk ? list : one;
  return refused(screen, visit, { ...answer, problems: [...answer.problems, ...problems] });
}

async function refused(
  screen: DeadLettersScreen | DeadLetterScreen,
  visit: Visit,
  { status, problems }: ApiAnswer,
): Promise<Done> {
  // The page around it could not be shown either.
  if (status === 503) throw new HttpError(503, problems);
  const { refused: begins } = oneDestinationTexts[visit.language];
  const notice = html`<p class="notice" role="alert">${begins} ${problems.join(' ')}</p>`;
  return { kind: 'show', view: await screen.view(visit, notice, Math.max(400, status)) };
}
