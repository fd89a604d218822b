import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { createBullBoard } from '@bull-board/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asError } from '../errors';
import { notFound } from '../http-api/http-errors';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};
const HIDDEN = { schema: { hide: true } };
/** Its page asks another host for a font. */
const FOREIGN_LINK = /<link[^>]*href="https?:[^>]*>/g;
const PLACEHOLDER = /<%([=-]) (\w+) %>/g;

type ServerAdapter = Parameters<typeof createBullBoard>[0]['serverAdapter'];
type Given<Setter extends keyof ServerAdapter> = Parameters<ServerAdapter[Setter]>[0];
type Queues = Given<'setQueues'>;
type EntryRoute = Given<'setEntryRoute'>;
type ApiRoutes = Given<'setApiRoutes'>;
type ApiRoute = ApiRoutes[number];
type Config = Given<'setUIConfig'>;
type ErrorHandler = Given<'setErrorHandler'>;

/** Bull Board's pages and what they read, on a server of ours. Routes by which something would be changed do not exist here. */
export class BoardAdapter implements ServerAdapter {
  private queues: Queues = new Map();
  private folder = '';
  private files: ReadonlySet<string> = new Set();
  private entry: EntryRoute | undefined;
  private reads: Readonly<ApiRoutes> = [];
  private config: Config = {};
  private answerTo: ErrorHandler = () => ({ status: 500, body: '' });

  constructor(private readonly basePath: string) {}

  setQueues(queues: Queues): this {
    this.queues = queues;
    return this;
  }

  setViewsPath(folder: string): this {
    this.folder = folder;
    return this;
  }

  setStaticPath(route: string, folder: string): this {
    const all = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    this.files = new Set(all.map((name) => `${route}/${name.split(sep).join('/')}`));
    return this;
  }

  setEntryRoute(route: EntryRoute): this {
    this.entry = route;
    return this;
  }

  setErrorHandler(handler: ErrorHandler): this {
    this.answerTo = handler;
    return this;
  }

  setApiRoutes(routes: ApiRoutes): this {
    this.reads = routes.filter(({ method }) => [method].flat().every((each) => each === 'get'));
    return this;
  }

  setUIConfig(config: Config): this {
    this.config = config;
    return this;
  }

  addTo(scope: FastifyInstance): void {
    const page = this.page();
    for (const route of [this.entry?.route ?? []].flat())
      scope.get(this.basePath + (route === '/' ? '' : route), HIDDEN, async (_request, reply) =>
        reply.type('text/html; charset=utf-8').send(page),
      );
    for (const { route, handler } of this.reads)
      for (const each of [route].flat())
        scope.get(this.basePath + each, HIDDEN, (request, reply) => this.read(handler, request, reply));
    scope.get<{ Params: { '*': string } }>(`${this.basePath}/static/*`, HIDDEN, ({ params }, reply) =>
      this.sendFile(`/static/${params['*']}`, reply),
    );
  }

  private async read(
    handler: ApiRoute['handler'],
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { params, query } = request;
    const asked = {
      ...{ queues: this.queues, uiConfig: this.config, headers: {}, body: {} },
      params: params as Record<string, string>,
      query: query as Record<string, string>,
    };
    const { status = 200, body } = await Promise.resolve(handler(asked)).catch((error: unknown) =>
      this.answerTo(asError(error)),
    );
    return reply.code(status).send(body);
  }

  /** By a list of what is there: a path leads nowhere else. */
  private async sendFile(file: string, reply: FastifyReply): Promise<FastifyReply> {
    if (!this.files.has(file)) throw notFound(`there is no ${file}`);
    const body = await readFile(join(this.folder, file));
    return reply
      .header('cache-control', 'private, max-age=86400')
      .type(TYPES[extname(file)] ?? 'application/octet-stream')
      .send(body);
  }

  private page(): string {
    const view = this.entry?.handler({ basePath: `${this.basePath}/`, uiConfig: this.config });
    if (view === undefined) return '';
    const values = new Map(Object.entries(view.params).map(([name, value]) => [name, String(value)]));
    // What it writes in as it is has no `<` in it; the rest are texts of ours.
    return readFileSync(join(this.folder, view.name), 'utf8')
      .replace(FOREIGN_LINK, '')
      .replace(PLACEHOLDER, (_all, _kind, name: string) => values.get(name) ?? '');
  }
}
