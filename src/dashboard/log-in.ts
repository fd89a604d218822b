import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../http-api/http-errors';
import type { DashboardKeys } from './dashboard-keys';
import { html } from './html';
import { isLanguage, type Language } from './language';
import { isOwnPage } from './own-page';
import { LANGUAGE_COOKIE, type Pages } from './pages';
import type { Session, SessionCookies } from './session-cookies';
import { logInTexts } from './texts/log-in-texts';
import type { Viewer } from './viewer';

export interface LogInParts {
  readonly pages: Pages;
  readonly keys: DashboardKeys;
  readonly cookies: SessionCookies;
  readonly onLogIn: (viewer: Viewer, address: string) => void;
  /** With a failure copies of the cookie are as good as before. */
  readonly onLogOut: (viewer: Viewer, failure: unknown) => void;
}

const PATH = '/dashboard/log-in';
/** Where somebody may come back to, as addresses are written: never another host, and nothing that no header can hold. */
const OWN_PAGE = /^\/(?:dashboard|queues)(?:[/?][!-[\]-~]*)?$/;
const YEAR_SECONDS = 31_536_000;
const MAX_KEY = 1024;
const OPTIONS = { schema: { hide: true } };

/** Log-in, log-out and the choice of a language: what needs no session. */
export function logInRoutes(scope: FastifyInstance, parts: LogInParts): void {
  const { pages } = parts;
  scope.get<{ Querystring: { next?: unknown; over?: unknown } }>(PATH, OPTIONS, async (request, reply) => {
    const { next, over } = request.query;
    const notice = over === undefined ? undefined : ('over' as const);
    return sendForm(parts, reply, { language: pages.languageOf(request), next: pageAfter(next), notice });
  });
  scope.post(PATH, OPTIONS, (request, reply) => logIn(parts, request, reply));
  scope.post('/dashboard/log-out', OPTIONS, async (request, reply) => {
    const form = formOf(request);
    const session = await pages.sessionOf(request);
    // A page of elsewhere logs nobody out: its request has no cookie, and the answer would take it away all the same.
    if (!isOwnPage(request) || (session !== undefined && !parts.cookies.isFormOf(session, form.get('csrf'))))
      throw new HttpError(403, ['this form comes from another page']);
    pages.setSession(request, reply, '');
    if (session !== undefined) await end(parts, session);
    return reply.redirect(`${PATH}?over=1`, 303);
  });
  scope.get<{ Querystring: { to?: string; back?: unknown } }>(
    '/dashboard/language',
    OPTIONS,
    async ({ query: { to, back } }, reply) => {
      if (isLanguage(to)) {
        const cookie = `${LANGUAGE_COOKIE}=${to}; Path=/; Max-Age=${YEAR_SECONDS}; HttpOnly; SameSite=Lax`;
        reply.header('set-cookie', cookie);
      }
      return reply.redirect(pageAfter(back), 303);
    },
  );
}

async function end({ cookies, onLogOut }: LogInParts, session: Session): Promise<void> {
  try {
    await cookies.end(session);
    onLogOut(session.viewer, undefined);
  } catch (error) {
    onLogOut(session.viewer, error);
  }
}

async function logIn(parts: LogInParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { pages, keys, cookies, onLogIn } = parts;
  const language = pages.languageOf(request);
  const form = formOf(request);
  const next = pageAfter(form.get('next'));
  const key = (form.get('key') ?? '').trim();
  const instance = (form.get('instance') ?? '').trim();
  // Otherwise a page of elsewhere could log its visitor in with a key of its own.
  if (!isOwnPage(request)) throw new HttpError(403, ['this form comes from another page']);
  try {
    if (key.length > MAX_KEY) throw new HttpError(401, []);
    const viewer = await keys.viewerOf(request.ip, key, instance);
    pages.setSession(request, reply, await cookies.begin(viewer));
    onLogIn(viewer, request.ip);
    return reply.redirect(next, 303);
  } catch (error) {
    if (!(error instanceof HttpError) || (error.status !== 401 && error.status !== 429)) throw error;
    const notice = error.status === 401 ? 'wrong' : 'tooMany';
    return sendForm(parts, reply, { language, next, notice, instance, status: error.status });
  }
}

interface FormView {
  readonly language: Language;
  readonly next: string;
  readonly notice?: 'wrong' | 'tooMany' | 'over' | undefined;
  readonly instance?: string;
  readonly status?: number;
}

function sendForm(
  { pages }: LogInParts,
  reply: FastifyReply,
  { language, next, notice, instance = '', status = 200 }: FormView,
): FastifyReply {
  const texts = logInTexts[language];
  const body = html`<h1>${texts.title}</h1>
${notice !== undefined && html`<p class="notice" role="alert">${texts[notice]}</p>`}
<form class="log-in" method="post" action="${PATH}">
<input type="hidden" name="next" value="${next}">
<label for="key">${texts.key}</label>
<input id="key" name="key" type="password" required autofocus autocomplete="current-password" maxlength="${MAX_KEY}" aria-describedby="key-hint">
<p class="hint" id="key-hint">${texts.keyHint}</p>
<label for="instance">${texts.instance}</label>
<input id="instance" name="instance" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="255" value="${instance}" aria-describedby="instance-hint">
<p class="hint" id="instance-hint">${texts.instanceHint}</p>
<button class="primary">${texts.submit}</button>
</form>`;
  return pages.sendBare(reply, { title: texts.title, body, status }, language);
}

function formOf({ body }: FastifyRequest): URLSearchParams {
  return body instanceof URLSearchParams ? body : new URLSearchParams();
}

function pageAfter(next: unknown): string {
  return typeof next === 'string' && OWN_PAGE.test(next) ? next : '/dashboard';
}
