import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { guard, release } from '../support/processes/guard';
import { freePort, HOST } from '../support/processes/ports';
import { eventually } from '../support/signals/signals';
import { fixture } from '../support/values/events';
import { folderWith } from '../support/values/folders';

jest.setTimeout(60_000);

const FOLDER = join(__dirname, '../../deploy/receivers');
const SECRET = `whsec_${Buffer.from('what both sides of a webhook know').toString('base64')}`;
const OTHER = Buffer.from('what only somebody else may know').toString('base64');
const BODY = fixture('messages.upsert.json').toString();

interface Language {
  readonly name: string;
  /** Program and arguments that show whether it is there. */
  readonly check: readonly [string, ...string[]];
  readonly file: string;
  readonly run: (file: string, port: number) => readonly [string, ...string[]];
  /** The line of the receiver's work, and one that fails the first time. */
  readonly work: RegExp;
  readonly failing: string;
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'Node.js',
    check: [process.execPath, '--version'],
    file: 'receiver.mjs',
    run: (file) => [process.execPath, file],
    work: /( {2}console\.log\(`\$\{event\.event\}[^\n]*)/,
    failing: "  if (!globalThis.failed) { globalThis.failed = true; throw new Error('fails once'); }\n$1",
  },
  {
    name: 'Python',
    check: ['python3', '-c', 'import sqlite3, http.server'],
    file: 'receiver.py',
    run: (file) => ['python3', file],
    work: /( {4}print\(f"\{event\['event'\]\}[^\n]*)/,
    failing:
      "    if not globals().get('failed'):\n        globals()['failed'] = True\n        raise OSError('fails once')\n$1",
  },
  {
    name: 'PHP',
    check: ['php', '--version'],
    file: 'receiver.php',
    run: (file, port) => ['php', '-S', `${HOST}:${port}`, file],
    work: /( {4}error_log\(\$event[^\n]*)/,
    failing:
      "    if (@mkdir(getenv('SEEN_FOLDER') . '/failed')) {\n        throw new Exception('fails once');\n    }\n$1",
  },
];

function isThere([program, ...args]: readonly [string, ...string[]]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** One receiver as a process of its own. */
class RunningReceiver {
  output = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;

  constructor(
    [program, ...args]: readonly [string, ...string[]],
    readonly port: number,
    folder: string,
  ) {
    this.child = spawn(program, args, {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        WEBHOOK_SECRET: SECRET,
        HOST,
        PORT: String(port),
        SEEN_FILE: join(folder, 'seen.sqlite'),
        SEEN_FOLDER: folder,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = this.child;
    if (pid !== undefined) guard(`group ${pid}`);
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString('utf8');
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => {
      this.child.once('close', () => {
        if (pid !== undefined) release(`group ${pid}`);
        resolve();
      });
    });
  }

  /** How often an event was handled. */
  get handled(): number {
    return this.output.match(/messages\.upsert of loja-centro/g)?.length ?? 0;
  }

  async untilUp(): Promise<void> {
    await eventually(
      () =>
        post(this.port, {}, '').then(
          (status) => (status === 401 ? true : undefined),
          () => undefined,
        ),
      'the receiver',
    );
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

function post(port: number, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': String(Buffer.byteLength(body)), 'content-type': 'application/json' };
    const all = { ...length, ...headers };
    const sent = request(
      { host: HOST, port, method: 'POST', path: '/', headers: all, agent: false },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function signed(id: string, { at = Date.now(), secret = SECRET, body = BODY } = {}): Record<string, string> {
  const date = new Date(at);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, date, body),
  };
}

for (const language of LANGUAGES) {
  // Where its runtime is not on this machine, that is said: skipped.
  const suite = isThere(language.check) ? describe : describe.skip;
  suite(`the receiver in ${language.name}`, () => {
    let receiver: RunningReceiver;
    let folder: ReturnType<typeof folderWith>;
    const start = async (text: string): Promise<void> => {
      folder = folderWith({ [language.file]: text });
      const port = await freePort();
      receiver = new RunningReceiver(language.run(join(folder.path, language.file), port), port, folder.path);
      await receiver.untilUp();
    };
    const source = (): string => readFileSync(join(FOLDER, language.file), 'utf8');
    afterEach(async () => {
      await receiver.stop();
      folder.remove();
    });

    test('handles what is signed, once, and refuses what is not', async () => {
      await start(source());
      const { port } = receiver;
      const later = { 'webhook-signature': `v1,AAAA v2,x ${signed('b')['webhook-signature']}` };
      const cases: readonly (readonly [Readonly<Record<string, string>>, string, number])[] = [
        [signed('a'), BODY, 200],
        [signed('a'), BODY, 200],
        [{ ...signed('b'), ...later }, BODY, 200],
        [signed('c', { secret: OTHER }), BODY, 401],
        [signed('c'), BODY.replace('{', '{ '), 401],
        [{ ...signed('c'), 'webhook-id': 'd' }, BODY, 401],
        [signed('c', { at: Date.now() - 600_000 }), BODY, 401],
        [signed('c', { at: Date.now() + 600_000 }), BODY, 401],
        [{ ...signed('c'), 'webhook-timestamp': 'now' }, BODY, 401],
        [{ ...signed('c'), 'webhook-signature': '' }, BODY, 401],
        [{ ...signed('c'), 'webhook-signature': 'v1,\u00e9' }, BODY, 401],
        [{}, BODY, 401],
      ];
      for (const [index, [headers, body, status]] of cases.entries())
        expect([index, await post(port, headers, body)]).toEqual([index, status]);
      await eventually(() => (receiver.handled === 2 ? true : undefined), 'two events, each once');
    });

    test('says that it failed where its work did, and handles the event when it comes again', async () => {
      await start(source().replace(language.work, language.failing));
      const headers = signed('a');
      expect(await post(receiver.port, headers, BODY)).toBe(500);
      expect(await post(receiver.port, headers, BODY)).toBe(200);
      expect(await post(receiver.port, headers, BODY)).toBe(200);
      await eventually(() => (receiver.handled === 1 ? true : undefined), 'the event, once');
    });

    test('two that come at once are handled once', async () => {
      await start(source());
      const headers = signed('a');
      const statuses = await Promise.all(Array.from({ length: 5 }, () => post(receiver.port, headers, BODY)));
      expect(statuses).toContain(200);
      expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
      await eventually(() => (receiver.handled > 0 ? true : undefined), 'the event');
      expect(receiver.handled).toBe(1);
    });
  });
}
