import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { notFound } from '../http-api/http-errors';
import { keptBody } from '../http-api/kept-bodies';

interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** Has a fingerprint in it, so that a browser keeps it for good. */
  readonly path: string;
}

const FOLDER = join(__dirname, 'assets');
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
/** What pages load; nothing comes from another host. */
const FILES = {
  'dashboard.css': [STYLE, join(FOLDER, 'dashboard.css')],
  'dashboard.mjs': [SCRIPT, join(FOLDER, 'dashboard.mjs')],
  'morph.mjs': [SCRIPT, join(FOLDER, 'morph.mjs')],
  'copies.mjs': [SCRIPT, join(FOLDER, 'copies.mjs')],
  'charts.mjs': [SCRIPT, join(FOLDER, 'charts.mjs')],
  'icon.svg': ['image/svg+xml', join(FOLDER, 'icon.svg')],
  'uplot.js': [SCRIPT, require.resolve('uplot/dist/uPlot.iife.min.js')],
  'uplot.css': [STYLE, require.resolve('uplot/dist/uPlot.min.css')],
} as const;
export type AssetName = keyof typeof FILES;

const PATH = '/dashboard/assets';
const FOR_GOOD = 'public, max-age=31536000, immutable';

/** The files that pages load, read once. */
export class Assets {
  private readonly byName: ReadonlyMap<string, Asset>;

  constructor() {
    const files = Object.entries(FILES).map(
      ([name, [type, file]]) => [name, type, keptBody(readFileSync(file))] as const,
    );
    // One fingerprint for all: scripts import each other by their names alone.
    const print = createHash('sha256');
    for (const [, , body] of files) print.update(body);
    const folder = `${PATH}/${print.digest('base64url').slice(0, 12)}`;
    this.byName = new Map(
      files.map(([name, type, body]) => [name, { type, body, path: `${folder}/${name}` }]),
    );
  }

  pathOf(name: AssetName): string {
    return this.byName.get(name)?.path ?? '';
  }

  addTo(server: FastifyInstance): void {
    server.get<{ Params: { name: string } }>(
      `${PATH}/:print/:name`,
      { schema: { hide: true } },
      async ({ params: { name }, url }, reply) => {
        const asset = this.byName.get(name);
        if (asset === undefined) throw notFound(`there is no ${name}`);
        // A page of another version: what it asked for is not what is here.
        const keep = url === asset.path ? FOR_GOOD : 'no-cache';
        return reply.header('cache-control', keep).type(asset.type).send(asset.body);
      },
    );
  }
}
