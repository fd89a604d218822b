import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../../support/ts-hook.cjs');
const SRC = join(__dirname, '../../../src');

/** What a program says that begins as `main.ts` does. */
function run(program: string): unknown {
  const first = `require(${JSON.stringify(join(SRC, 'startup/lazy-parts.ts'))});`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-r', HOOK, '-e', first + program], {
    cwd: SRC,
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('a worker', () => {
  it('has nothing loaded at rest that it has no use for', () => {
    const loaded = run(`
      require('./cli/serve.ts');
      require('./worker/worker.ts');
      const { guardedFastify } = require('./network/guarded-fastify.ts');
      guardedFastify({ limits: {}, trustedProxies: [], onRefused: () => {}, onError: () => {} });
      console.log(JSON.stringify(Object.keys(require.cache)));
    `) as string[];
    const parts = loaded.map((path) => /.*node_modules\/(.*)/.exec(path)?.[1] ?? '');
    expect(parts).toEqual(expect.arrayContaining([expect.stringMatching(/^bullmq\/.*queue\.js$/)]));
    const needless = [
      /^zod\/v4\/locales\/(?!en\.|index\.)/,
      /^cron-parser\/dist\/(?!index\.)|^luxon\//,
      /^bullmq\/dist\/cjs\/(?:postgres|index)/,
      // What is asked for by name is in its place; nothing else of it is there.
      /^@opentelemetry\/(?!api\/build\/src\/index\.js)/,
      /^(?:ajv\/dist\/ajv|fast-json-stringify\/index)/,
      /^(?:@aws-sdk|@bull-board|@fastify\/swagger|jsonwebtoken|pusher|socket\.io)\//,
    ];
    expect(parts.filter((part) => needless.some((each) => each.test(part)))).toEqual([]);
  });
});

/** Which of these a program has loaded that has asked for `modules`. */
function loadedOf(needless: readonly string[], modules: readonly string[]): string[] {
  const requires = modules.map((name) => `require(${JSON.stringify(`./${name}.ts`)});`).join('');
  const loaded = run(`${requires} console.log(JSON.stringify(Object.keys(require.cache)))`) as string[];
  // What one of them asks for is there.
  expect(loaded.length).toBeGreaterThan(modules.length);
  return needless.filter((part) => loaded.some((path) => path.includes(`/${part}`)));
}

describe('what a supervisor and its workers share out', () => {
  it('a supervisor has neither destinations, sources, Redis nor a worker loaded: checking the configuration is not its own work', () => {
    const needless = [
      'src/modules.ts',
      'src/destinations/',
      'src/sources/',
      'src/settings/',
      'src/worker/worker.ts',
    ];
    const supervisor = ['cli/program', 'cli/serve-commands', 'cli/supervise'];
    expect(loadedOf([...needless, 'node_modules/bullmq/', 'node_modules/ioredis/'], supervisor)).toEqual([]);
  });

  it('a worker has no HTTP server loaded before it opens a port: with a supervisor it opens none', () => {
    expect(loadedOf(['node_modules/fastify/'], ['cli/serve', 'worker/worker'])).toEqual([]);
  });
});

describe('a part that is loaded when it is used', () => {
  it('has all its names for what goes through them, or copies it', () => {
    const found = run(`
      const { z } = require('zod');
      console.log(JSON.stringify([Object.keys(z.locales), { ...z.locales }].map((each) => Object.values(each).length > 40)));
    `);
    expect(found).toEqual([true, true]);
  });

  it('is there for what uses it', () => {
    const found = run(`
      const { z } = require('zod');
      const { CronExpressionParser } = require(require.resolve('cron-parser', { paths: [require.resolve('bullmq')] }));
      z.config(z.locales.de());
      console.log(JSON.stringify({
        german: z.string().safeParse(1).error.issues[0].message,
        next: CronExpressionParser.parse('0 12 * * *', { currentDate: '2026-01-01T00:00:00Z', tz: 'UTC' }).next().toISOString(),
      }));
    `);
    expect(found).toEqual({ german: expect.stringContaining('Ungültige'), next: '2026-01-01T12:00:00.000Z' });
  });
});
