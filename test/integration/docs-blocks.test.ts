import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { DocumentShell } from '../support/docs/document-shell';
import { provided } from '../support/harness/provided';
import { freePort, HOST } from '../support/processes/ports';
import { Receiver } from '../support/servers/receiver';

jest.setTimeout(300_000);

const ROOT = join(__dirname, '../..');
/** Pages whose shell blocks a reader pastes in order. Blocks marked `text` or `ini` are not run. */
const PAGES = ['README.md', 'docs/getting-started.md'];
const SHELL_BLOCK = /^```sh\n([\s\S]*?)^```$/gm;
/** Made up by the pages; the test's own are put in their place. */
const BROKER = 'amqp://user:password@rabbitmq:5672';
const REDIS = 'redis://redis:6379';
const WEBHOOK = 'https://example.com/webhook';

/**
 * Stands for npm: what takes minutes, and is done already where tests run, becomes a cheap check of the same. `ci`: the
 * installed packages are those of package.json. `run build`: the sources compile. `test`: jest finds the tests. `run demo`:
 * fewer events. Everything else is npm's own.
 */
function npm(real: string): string {
  return `#!/usr/bin/env bash
case "$*" in
  ci) cd '${ROOT}' && exec '${real}' ls --depth=0 ;;
  'run build') exec node node_modules/typescript/bin/tsc -p tsconfig.build.json --noEmit ;;
  test) exec '${real}' test -- --listTests ;;
  'run demo') exec '${real}' run demo -- --events 60 ;;
  *) exec '${real}' "$@" ;;
esac
`;
}

function blocksOf(page: string): string[] {
  return [...readFileSync(join(ROOT, page), 'utf8').matchAll(SHELL_BLOCK)].map(([, block = '']) => block);
}

describe.each(PAGES)('the shell blocks of %s', (page) => {
  const name = `docs-${randomBytes(6).toString('hex')}`;
  let folder: string;
  let receiver: Receiver;
  let shell: DocumentShell;

  beforeAll(async () => {
    receiver = await Receiver.start({ keyOf: () => 'any' });
    folder = mkdtempSync(join(tmpdir(), 'relay-docs-'));
    // A copy, so that no block writes into the repository.
    const copy = join(folder, 'copy');
    mkdirSync(copy);
    for (const entry of readdirSync(ROOT)) {
      if (!entry.startsWith('.')) symlinkSync(join(ROOT, entry), join(copy, entry));
    }
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'npm'), npm(DocumentShell.find('npm')));
    chmodSync(join(programs, 'npm'), 0o755);
    shell = new DocumentShell({
      folder: copy,
      programs,
      readiness: `http://${HOST}:${await freePort()}/readyz`,
      env: {
        RABBITMQ_URI: provided('RABBITMQ_URI'),
        REDIS_URI: provided('REDIS_URI'),
        WEBHOOK_GLOBAL_URL: receiver.url,
        AUTHENTICATION_API_KEY: randomBytes(24).toString('hex'),
        RABBITMQ_EXCHANGE_NAME: name,
        RABBITMQ_QUEUE: name,
        REDIS_PREFIX_KEY: name,
        GATEWAY_HOST: HOST,
        GATEWAY_PORT: String(await freePort()),
        METRICS_HOST: HOST,
      },
    });
    await withChannel(async (channel) => {
      // As the core API has declared it by then.
      await channel.assertExchange(name, 'topic', { durable: true });
    });
  });

  afterAll(async () => {
    await shell.close();
    await receiver.close();
    await withChannel(async (channel) => {
      await channel.deleteQueue(name);
      await channel.deleteExchange(name);
    });
    const redis = new Redis(provided('REDIS_URI'));
    for await (const keys of redis.scanStream({ match: `{${name}}:*`, count: 1000 })) {
      if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
    }
    redis.disconnect();
    rmSync(folder, { recursive: true });
  });

  test('there are some', () => {
    expect(blocksOf(page).length).toBeGreaterThan(0);
  });

  test('run one after the other; a server comes up and delivers what is published', async () => {
    for (const block of blocksOf(page)) {
      const script = block
        .replaceAll(BROKER, provided('RABBITMQ_URI'))
        .replaceAll(REDIS, provided('REDIS_URI'))
        .replaceAll(WEBHOOK, receiver.url);
      if (/^npm start$/m.test(script)) await shell.serve(script);
      else expect(await shell.run(script)).toMatchObject({ code: 0 });
    }
    const { arrivals } = receiver;
    expect(await shell.run('node dist/main.js publish --count 2')).toMatchObject({ code: 0 });
    await receiver.until(() => receiver.arrivals >= arrivals + 2, 30_000, 'two samples');
  });
});

async function withChannel(work: (channel: Channel) => Promise<void>): Promise<void> {
  const connection = await connect(provided('RABBITMQ_URI'));
  try {
    await work(await connection.createChannel());
  } finally {
    await connection.close();
  }
}
type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>;
