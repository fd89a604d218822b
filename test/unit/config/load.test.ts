import { describe as describeValues } from '../../../src/config/describe';
import type { Loaded } from '../../../src/config/load';
import { ConfigError } from '../../../src/errors';
import { MODULES } from '../../../src/modules';
import { CORE_API_ENV, WEBHOOK_KEYS } from '../../support/values/core-api-env';
import { folderWith } from '../../support/values/folders';
import { partsOf } from './parts';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

function setup(files: Readonly<Record<string, string>> = {}): {
  load: (environment?: Readonly<Record<string, string>>) => Loaded;
  problems: (environment?: Readonly<Record<string, string>>) => readonly string[];
} {
  const folder = folderWith(files);
  removals.push(folder.remove);
  const load = (environment: Readonly<Record<string, string>> = {}): Loaded =>
    MODULES.loadConfig(folder.path, { ...environment });
  const problems = (environment: Readonly<Record<string, string>> = {}): readonly string[] => {
    try {
      load(environment);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems;
    }
  };
  return { load, problems };
}

describe('what is wrong is named together with what is written in vain, which is its likely cause', () => {
  test.each([
    [
      'a quote that is not closed',
      'REDIS_URI="redis://a.test\n',
      /^REDIS_URI: must be/,
      /^\.env: line 1 begins .* not closed/,
    ],
    [
      'a misspelt name',
      'REDIS_URI=x\nREDIS_URRI=redis://a.test\n',
      /^REDIS_URI: must be/,
      /^REDIS_URRI .*did you mean REDIS_URI/,
    ],
  ])('%s', (_what, env, problem, cause) => {
    expect(setup({ '.env': env }).problems()).toEqual([
      expect.stringMatching(problem),
      expect.stringMatching(cause),
    ]);
  });
});

describe('loadConfig', () => {
  test.each([
    ['RABBITMQ_QUEUE', '字'.repeat(86), 'no more than 255 bytes'],
    ['RABBITMQ_QUEUE', 'amq.relay', 'must not begin with amq.'],
    ['RABBITMQ_EXCHANGE_NAME', 'x'.repeat(256), 'no more than 255 bytes'],
    ['RABBITMQ_PREFIX_KEY', 'x'.repeat(240), 'no more than'],
  ])('names that AMQP cannot take are named, counted in bytes: %s (finding 2.2)', (name, value, what) => {
    expect(setup().problems({ [name]: value })).toEqual([expect.stringMatching(`^${name}: .*${what}`)]);
  });

  test('names that AMQP can take are taken, exchanges of the broker’s own too', () => {
    const names = {
      RABBITMQ_QUEUE: 'q'.repeat(255),
      RABBITMQ_EXCHANGE_NAME: 'amq.topic',
      RABBITMQ_PREFIX_KEY: 'p'.repeat(200),
    };
    expect(setup().problems(names)).toEqual([]);
  });

  test.each([
    ['REDIS_URI', 'foo'],
    ['REDIS_URI', 'redis://x:99999'],
    ['PUSHER_URL', 'foo'],
  ])('an address that cannot be read is named with all that is wrong: %s=%s', (name, value) => {
    const found = setup().problems({ [name]: value, METRICS_PORT: 'x' });
    expect(found).toEqual(
      expect.arrayContaining([expect.stringContaining(name), expect.stringContaining('METRICS_PORT')]),
    );
  });

  test('nothing set: the documented defaults', () => {
    const { config, warnings } = setup().load();
    expect(partsOf(config)).toMatchObject({
      rabbitmq: {
        enabled: false,
        exchange: 'evolution_exchange',
        frameMax: 8192,
        consume: 'dedicated',
        queue: 'evolution-relay',
        prefetch: 2000,
        events: 'all',
      },
      webhook: { global: undefined, legacyPaths: false },
    });
    expect(config).toMatchObject({
      outgoing: { stripApikey: false, timeoutMs: 30_000 },
      delivery: {
        concurrency: 2000,
        concurrencyPerDestination: 2000,
        slowAfterMs: 1000,
        maxBytesInFlight: 268_435_456,
        circuitFailures: 10,
        circuitOpenMs: 30_000,
      },
      retry: {
        concurrency: 100,
        maxAttempts: 10,
        initialDelayMs: 5000,
        maxDelayMs: 300_000,
        exponential: true,
        jitter: 0.2,
        deadLetterMaxAgeMs: 14 * 86_400_000,
        deadLetterMaxCount: 1_000_000,
      },
      redis: { uri: 'redis://localhost:6379', prefix: 'evolution-relay' },
      settings: { file: 'config/instances.json', encryptionKeys: [] },
      metrics: { host: '0.0.0.0', port: 9464 },
      shutdownTimeoutMs: 30_000,
    });
    expect([...partsOf(config).webhook.rejectedStatuses]).toEqual([400, 401, 403, 404, 422]);
    expect(warnings).toEqual([]);
  });

  test('every wrong value is named at once, with what it may be', () => {
    const wrong = {
      RABBITMQ_URI: 'http://localhost',
      RABBITMQ_CONSUME: 'both',
      RABBITMQ_PREFETCH: '0',
      RABBITMQ_FRAME_MAX: '4095',
      RABBITMQ_GLOBAL_ENABLED: 'yes',
      RABBITMQ_EVENTS_MESSAGES_UPSERT: 'ture',
      WEBHOOK_GLOBAL_URL: 'ftp://receiver.example.test',
      WEBHOOK_GLOBAL_HEADERS: '{"a":1}',
      WEBHOOK_EVENTS_CALL: '1',
      WEBHOOK_REQUEST_TIMEOUT_MS: '30s',
      WEBHOOK_RETRY_JITTER_FACTOR: '1.1',
      WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES: '400,abc',
      WEBHOOK_STRIP_APIKEY: 'TRUE',
      WEBHOOK_SIGNING_SECRET: 'whsec_c2hvcnQ=',
      DELIVERY_CONCURRENCY: '1.5',
      CIRCUIT_OPEN_SECONDS: '-1',
      REDIS_URI: 'http://localhost:6379',
      REDIS_CLUSTER_NODES: 'a:1,b',
      REDIS_PREFIX_KEY: 'a{b}',
      METRICS_PORT: '65536',
      LOG_FORMAT: 'xml',
      SHUTDOWN_TIMEOUT_SECONDS: 'NaN',
    };
    const problems = setup().problems(wrong);
    for (const name of Object.keys(wrong)) {
      const about = problems.filter(
        (problem) => problem.startsWith(`${name}:`) || problem.startsWith(`${name} `),
      );
      expect([name, about.length]).toEqual([name, 1]);
      expect(about[0]).toMatch(/must be .{4}/);
    }
    expect(problems).toHaveLength(Object.keys(wrong).length);
  });

  test.each<[string, Record<string, string>]>([
    ['REDIS_URI', { REDIS_URI: 'redis://host/3', REDIS_CLUSTER_NODES: 'a:1' }],
    ['REDIS_SENTINELS', { REDIS_CLUSTER_NODES: 'a:1', REDIS_SENTINELS: 'a:1', REDIS_SENTINEL_NAME: 'x' }],
  ])('%s does not go with a Redis Cluster', (name, environment) => {
    expect(setup().problems(environment)).toEqual([expect.stringMatching(`^${name}: .*REDIS_CLUSTER_NODES`)]);
  });

  test.each([
    ['RABBITMQ_URI', { RABBITMQ_ENABLED: 'true' }],
    ['WEBHOOK_GLOBAL_URL', { WEBHOOK_GLOBAL_ENABLED: 'true' }],
    ['REDIS_SENTINEL_NAME', { REDIS_SENTINELS: 'a:26379' }],
  ])('%s is missing beside what needs it', (name, environment) => {
    expect(setup().problems(environment)).toEqual([
      expect.stringMatching(new RegExp(`^${name}: must be set`)),
    ]);
  });

  test.each([
    ['RABBITMQ_URI', 'amqp://host:99999'],
    ['RABBITMQ_URI', 'amqp://us%er:pass@host'],
    ['RABBITMQ_URI', 'amqp://host/%zz'],
    ['WEBHOOK_GLOBAL_URL', 'http://us%er:pass@host/'],
    ['REDIS_URI', 'redis://host:6379/name'],
    ['LOG_LEVEL', 'ERORR'],
    ['WEBHOOK_ALLOWED_NETWORKS', 'foo'],
    ['SETTINGS_ENCRYPTION_KEY', 'c2hvcnQ='],
  ])('%s=%j would only fail later, so it is refused here', (name, value) => {
    expect(setup().problems({ [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  test('empty counts as not set, whatever the variable', () => {
    const { load } = setup();
    const empty = load(Object.fromEntries(Object.keys(MODULES.variables).map((name) => [name, ''])));
    expect(empty.values).toEqual(load().values);
    expect(partsOf(load({ RABBITMQ_QUEUE: '' }).config).rabbitmq.queue).toBe('evolution-relay');
  });

  test.each([' ', '\t', '\r', ' \n'])(
    'blanks alone (%j) are as empty as nothing, whatever the variable',
    (blank) => {
      const { load } = setup();
      const blanks = load(Object.fromEntries(Object.keys(MODULES.variables).map((name) => [name, blank])));
      expect(blanks.values).toEqual(load().values);
      expect(load({ GATEWAY_PORT: blank, PORT: '5000' }).values['GATEWAY_PORT']).toBe(5000);
      // A switch of an event that says nothing must not switch off all others.
      const { config } = load({ RABBITMQ_EVENTS_CALL: blank, WEBHOOK_GLOBAL_URL: 'http://r/' });
      expect(partsOf(config).rabbitmq.events).toBe('all');
    },
  );

  test('an empty value takes back what a weaker layer set', () => {
    const { load } = setup({ '.env': 'WEBHOOK_GLOBAL_URL=http://r/' });
    expect(partsOf(load().config).webhook.global?.url).toBe('http://r/');
    expect(partsOf(load({ WEBHOOK_GLOBAL_URL: '' }).config).webhook.global).toBeUndefined();
  });

  test('no message shows a wrong value of a secret', () => {
    const secrets = {
      RABBITMQ_URI: 'http://user:s3cret@localhost',
      WEBHOOK_GLOBAL_URL: 'ftp://user:s3cret@receiver.example.test',
      WEBHOOK_GLOBAL_HEADERS: '{"authorization":"s3cret"',
      WEBHOOK_SIGNING_SECRET: 's3cret',
      REDIS_URI: 'https://user:s3cret@redis',
    };
    const problems = setup().problems(secrets);
    expect(problems).toHaveLength(Object.keys(secrets).length);
    expect(problems.join('\n')).not.toContain('s3cret');
  });

  test('a file that cannot be read is named without quoting it', () => {
    const broken = '{"WEBHOOK_SIGNING_SECRET": s3cret}';
    for (const [name, environment] of [
      ['config/default.json', {}],
      ['config/production.json', { NODE_ENV: 'production' }],
    ] as const) {
      const problems = setup({ [name]: broken }).problems(environment);
      expect(problems).toEqual([expect.stringContaining(`${name} cannot be read`)]);
      expect(problems.join()).not.toContain('s3cret');
    }
    expect(setup({ 'config/default.json': '[]' }).problems()).toHaveLength(1);
  });

  test('the configuration is frozen, at every depth', () => {
    const { config } = setup().load({ WEBHOOK_GLOBAL_URL: 'http://r/', WEBHOOK_GLOBAL_HEADERS: '{"a":"b"}' });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.retry)).toBe(true);
    expect(Object.isFrozen(partsOf(config).webhook.global?.headers)).toBe(true);
  });
});

describe('the .env of the core API', () => {
  test('works unchanged', () => {
    const { load } = setup({ '.env': CORE_API_ENV });
    const { config } = load();
    expect(partsOf(config).rabbitmq).toMatchObject({
      enabled: false,
      exchange: 'evolution',
      prefixKey: 'evolution',
      frameMax: 8192,
      global: false,
    });
    expect(partsOf(config).webhook.global).toBeUndefined();
    expect(config.outgoing.timeoutMs).toBe(60_000);
    expect(config.retry).toMatchObject({ maxAttempts: 10, initialDelayMs: 5000, jitter: 0.2 });
    expect(config.log.color).toBe(true);
  });

  test('with the webhook on, exactly the events that say true go there', () => {
    const { load } = setup({ '.env': CORE_API_ENV });
    const { config } = load({ WEBHOOK_GLOBAL_ENABLED: 'true', WEBHOOK_GLOBAL_URL: 'https://r.example.test' });
    expect(partsOf(config).webhook.global?.events).toEqual(new Set(WEBHOOK_KEYS));
  });

  test('with RabbitMQ on and one event on, exactly that is bound', () => {
    const { load } = setup({ '.env': CORE_API_ENV });
    const { config } = load({ RABBITMQ_ENABLED: 'true', RABBITMQ_EVENTS_GROUP_UPDATE: 'true' });
    expect(partsOf(config).rabbitmq).toMatchObject({ enabled: true, uri: 'amqp://localhost' });
    expect(partsOf(config).rabbitmq.events).toEqual(new Set(['GROUPS_UPDATE']));
  });

  test('the same values, all set in the environment with empty ones, work too', () => {
    const environment = Object.fromEntries(
      CORE_API_ENV.split('\n').flatMap((line) => {
        const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
        return name === undefined || value === undefined ? [] : [[name, value.replaceAll("'", '')]];
      }),
    );
    expect(partsOf(setup().load(environment).config).rabbitmq.exchange).toBe('evolution');
  });
});

describe('describe', () => {
  test('shows no secret, and of addresses only scheme, host and port', () => {
    const loaded = setup().load({
      RABBITMQ_URI: 'amqps://user:s3cret@broker.example.test:5671/s3cret-vhost',
      WEBHOOK_GLOBAL_URL: 'https://hooks.example.test/s3cret?token=s3cret#s3cret',
      WEBHOOK_GLOBAL_HEADERS: '{"authorization":"Bearer s3cret"}',
      WEBHOOK_SIGNING_SECRET: `whsec_${Buffer.from('s3cret s3cret s3cret').toString('base64')}`,
      REDIS_URI: 'rediss://:s3cret@redis.example.test/0',
    });
    const shown = Object.fromEntries(describeValues(loaded).map(({ name, value }) => [name, value]));
    expect(JSON.stringify(shown)).not.toMatch(/s3cret|czNjcmV0/);
    expect(shown).toMatchObject({
      RABBITMQ_URI: 'amqps://***@broker.example.test:5671/***',
      WEBHOOK_GLOBAL_URL: 'https://hooks.example.test/***',
      WEBHOOK_GLOBAL_HEADERS: '***',
      WEBHOOK_SIGNING_SECRET: '***',
      REDIS_URI: 'rediss://***@redis.example.test/***',
    });
  });
});
