import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { noteHolder } from '../http-api/guards';
import { asHttpError, type ErrorContext, type HttpError, notFound } from '../http-api/http-errors';
import { recognise } from '../network/guarded-server';
import type { Assets } from './assets';
import { cookieHeader, cookieIn } from './cookie-header';
import { type Html, html } from './html';
import { isLanguage, type Language, languageOf } from './language';
import { isMeant, pageOf } from './layout';
import { isOwnPage, isSecure, mayRead } from './own-page';
import type { Action, Audience, DataRoute, Done, Screen, ScreenName, View, Visit } from './screen';
import { IDLE_MS, type Session, type SessionCookies } from './session-cookies';
import { commonTexts } from './texts/common-texts';
import { holderOfViewer, mayChange } from './viewer';

export interface PagesParts {
  readonly assets: Assets;
  readonly cookies: SessionCookies;
  readonly errors: ErrorContext;
  /** `GATEWAY_URL`. */
  readonly publicUrl: string | undefined;
  /** Somebody did something, or tried to. */
  readonly onAction: (action: PerformedAction) => void;
}

export interface PerformedAction {
  readonly by: Session['viewer'];
  readonly what: string;
  readonly ok: boolean;
}

export const LANGUAGE_COOKIE = 'relay_language';
const FIRST_PAGE = '/dashboard';
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');
/** `no-referrer` would take `Origin` from forms, by which those of our own pages are known. */
const HEADERS = { 'content-security-policy': POLICY, 'referrer-policy': 'same-origin' };
/** The script asks for the main part alone by this header, which no page of elsewhere can send. */
const PART = 'x-relay-part';
/** Read only after the session was checked; a filter is the largest thing in a form. */
const MAX_FORM = 131_072;
const HIDDEN = { hide: true };

/** Answers with pages: checks sessions and forms, and keeps pages up to date by their main part. */
export class Pages {
  private readonly sessions = new WeakMap<FastifyRequest, Session>();

  constructor(private readonly parts: PagesParts) {}

  /** Of a scope that serves nothing else. */
  prepare(scope: FastifyInstance): void {
    scope.addHook('onRequest', async (_request, reply) => {
      reply.headers(HEADERS);
    });
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    scope.setErrorHandler((error, request, reply) => this.sendError(error, request, reply));
  }

  addScreen(scope: FastifyInstance, screen: Screen): void {
    scope.get(screen.path, this.guarded(screen.audience), async (request, reply) => {
      const visit = this.visitOf(request);
      return this.send(reply, visit, { view: await screen.show(visit), name: screen.name });
    });
  }

  /** Addresses of no page: a bookmark of an older version, or a slip. */
  addUnknown(scope: FastifyInstance): void {
    scope.get('/dashboard/*', this.guarded('everybody'), ({ url }) => {
      throw notFound(`Cannot GET ${url.split('?')[0]}`);
    });
  }

  addData(scope: FastifyInstance, { path, audience, read }: DataRoute): void {
    scope.get(path, this.guarded(audience), (request) => read(this.visitOf(request)));
  }

  addAction(scope: FastifyInstance, action: Action): void {
    scope.post(
      action.path,
      { ...this.guarded(action.audience), bodyLimit: MAX_FORM },
      async (request, reply) => {
        const visit = this.visitOf(request);
        const { viewer, session } = visit;
        const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
        if (!this.parts.cookies.isFormOf(session, form.get('csrf')) || !isOwnPage(request))
          return this.sendMessage(reply, visit, 403, commonTexts[visit.language].staleForm);
        if (!mayChange(viewer)) return this.refuse(visit, reply);
        return this.finish(reply, visit, {
          done: await this.perform(action, visit, form),
          name: action.name,
        });
      },
    );
  }

  /** The session of a request; undefined where nobody is logged in. */
  async sessionOf(request: FastifyRequest): Promise<Session | undefined> {
    const cookie = this.cookieOf(request);
    return cookie === undefined || !mayRead(request) ? undefined : this.parts.cookies.open(cookie);
  }

  languageOf({ headers }: FastifyRequest): Language {
    const chosen = cookieIn(headers.cookie, LANGUAGE_COOKIE);
    return isLanguage(chosen) ? chosen : languageOf(headers['accept-language']);
  }

  setSession(request: FastifyRequest, reply: FastifyReply, value: string): void {
    const maxAgeSeconds = value === '' ? 0 : IDLE_MS / 1000;
    const options = { maxAgeSeconds, isSecure: isSecure(request, this.parts.publicUrl) };
    reply.header('set-cookie', cookieHeader(this.parts.cookies.name, value, options));
  }

  /** A page without a menu, for somebody who is not logged in. */
  sendBare(reply: FastifyReply, view: View, language: Language): FastifyReply {
    const { title, body, status = 200 } = view;
    const main = html`<main id="main">${body}</main>`;
    const { method, url } = reply.request;
    const here = method === 'GET' ? url : FIRST_PAGE;
    const page = pageOf(this.parts.assets, { title, language, main, here });
    return reply.code(status).type('text/html; charset=utf-8').send(page.text);
  }

  /** Lets those through who are logged in and may see something; the others get their answer. */
  async admit(request: FastifyRequest, reply: FastifyReply, audience: Audience): Promise<unknown> {
    const session = await this.sessionOf(request);
    if (session === undefined) return this.askForKey(request, reply);
    this.sessions.set(request, session);
    noteHolder(request, holderOfViewer(session.viewer));
    recognise(request.raw.socket);
    const renewed = this.parts.cookies.renewed(this.cookieOf(request));
    if (renewed !== undefined) this.setSession(request, reply, renewed);
    return isMeant(audience, session.viewer) ? undefined : this.refuse(this.visitOf(request), reply);
  }

  private guarded(audience: Audience): object {
    return {
      schema: HIDDEN,
      onRequest: (request: FastifyRequest, reply: FastifyReply) => this.admit(request, reply, audience),
    };
  }

  private cookieOf({ headers }: FastifyRequest): string | undefined {
    return cookieIn(headers.cookie, this.parts.cookies.name);
  }

  private askForKey(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (request.headers[PART] !== undefined) return reply.code(401).send();
    const next = request.method === 'GET' ? `?${new URLSearchParams({ next: request.url })}` : '';
    return reply.redirect(`/dashboard/log-in${next}`, 303);
  }

  private visitOf(request: FastifyRequest): Visit {
    const session = this.sessions.get(request);
    if (session === undefined) throw new RangeError('a page that no guard stands before');
    return {
      session,
      viewer: session.viewer,
      language: this.languageOf(request),
      request,
      params: request.params as Record<string, string>,
      query: Object.fromEntries(
        Object.entries(request.query as Record<string, unknown>).map(([name, value]) => [
          name,
          String(Array.isArray(value) ? value.at(-1) : value),
        ]),
      ),
    };
  }

  private async perform(action: Action, visit: Visit, form: URLSearchParams): Promise<Done> {
    const report = (ok: boolean): void =>
      this.parts.onAction({ by: visit.viewer, what: visit.request.url.split('?')[0] ?? '', ok });
    try {
      const done = await action.perform(visit, form);
      report(done.kind === 'go' || (done.view.status ?? 200) < 400);
      return done;
    } catch (error) {
      report(false);
      throw error;
    }
  }

  private finish(
    reply: FastifyReply,
    visit: Visit,
    { done, name }: { readonly done: Done; readonly name: ScreenName },
  ): FastifyReply {
    // 303: the page is asked for by GET, and reloading it does nothing again.
    if (done.kind === 'go') return reply.redirect(done.to, 303);
    return this.send(reply, visit, { view: done.view, name });
  }

  private send(
    reply: FastifyReply,
    visit: Visit,
    { view, name }: { readonly view: View; readonly name?: ScreenName },
  ): FastifyReply {
    const { request, language, session } = visit;
    // What answers a form cannot be asked for again.
    const { title, body, status = 200, live = request.method === 'GET' ? request.url : undefined } = view;
    const etag = etagOf(body);
    reply.code(status).header('etag', etag).type('text/html; charset=utf-8');
    if (request.headers[PART] !== undefined) {
      // By this the script knows that it is our answer, and not that of a proxy which does not reach us.
      reply.header(PART, 'main');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.send(body.text);
    }
    const main =
      view.isStill === true || live === undefined
        ? html`<main id="main">${body}</main>`
        : html`<main id="main" data-live="${live}" data-etag="${etag}">${body}</main>`;
    const current = name === undefined ? {} : { current: name };
    const here = live ?? FIRST_PAGE;
    const page = pageOf(this.parts.assets, { title, language, main, here, session, ...current });
    return reply.send(page.text);
  }

  private refuse(visit: Visit, reply: FastifyReply): FastifyReply {
    return this.sendMessage(reply, visit, 403, commonTexts[visit.language].notAllowed);
  }

  private sendMessage(reply: FastifyReply, visit: Visit, status: number, message: string): FastifyReply {
    const body = html`<h1>${message}</h1><p><a href="${FIRST_PAGE}">${commonTexts[visit.language].now}</a></p>`;
    return this.send(reply, visit, { view: { title: message, body, status } });
  }

  private sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const problem = asHttpError(error, this.parts.errors);
    const language = this.languageOf(request);
    const message = messageOf(problem, request.method === 'GET' ? 'page' : 'form', language);
    if (problem.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(problem.retryAfterSeconds));
    const body = html`<h1>${message}</h1>`;
    const session = this.sessions.get(request);
    const view = { title: message, body, status: problem.status };
    if (session === undefined) return this.sendBare(reply, view, language);
    return this.send(reply, this.visitOf(request), { view });
  }
}

function messageOf({ status, told }: HttpError, asked: 'page' | 'form', language: Language): string {
  const texts = commonTexts[language];
  if (status === 503) return asked === 'page' ? texts.storeAway : texts.storeAwayForForm;
  if (status === 404) return texts.notFound;
  if (status >= 500) return texts.failed;
  return [told].flat(2).join(' ');
}

/** What many viewers see is one body. */
const ETAGS = new WeakMap<Html, string>();

function etagOf(body: Html): string {
  const known = ETAGS.get(body);
  if (known !== undefined) return known;
  const etag = `"${createHash('sha256').update(body.text).digest('base64url').slice(0, 22)}"`;
  ETAGS.set(body, etag);
  return etag;
}
