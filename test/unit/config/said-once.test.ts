import { ConfigError } from '../../../src/errors';
import { MODULES } from '../../../src/modules';
import { folderWith } from '../../support/values/folders';

function saidOf(
  environment: NodeJS.ProcessEnv,
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  const folder = folderWith(files);
  try {
    return MODULES.loadConfig(folder.path, environment).warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  } finally {
    folder.remove();
  }
}

/** What makes others be looked at that depend on a variable. */
const EVERYTHING_ON = {
  RABBITMQ_ENABLED: 'true',
  RABBITMQ_URI: 'amqp://r',
  WEBHOOK_GLOBAL_ENABLED: 'true',
  WEBHOOK_GLOBAL_URL: 'http://r/',
  PUSHER_GLOBAL_ENABLED: 'true',
  PUSHER_GLOBAL_APP_ID: '1',
  PUSHER_GLOBAL_KEY: 'k',
  PUSHER_GLOBAL_SECRET: 's',
  PUSHER_GLOBAL_CLUSTER: 'eu',
  PUSHER_OVERSIZE: 'reference',
  GATEWAY_URL: 'http://g/',
};

const NAMES = Object.keys(MODULES.variables);

function about(name: string, said: readonly string[]): string[] {
  return said.filter((text) => text.startsWith(`${name}:`));
}

describe('what is wrong with a variable is said once, in words of ours', () => {
  test('of one variable alone, with everything that depends on it', () => {
    const often = NAMES.filter((name) => about(name, saidOf({ ...EVERYTHING_ON, [name]: 'yes' })).length > 1);
    expect(often).toEqual([]);
  });

  test.each(['yes', '-1', 'http://host:0/', '{"a":', 'x y'])('of all at once: %j', (value) => {
    // A Cluster and Sentinels exclude each other, which is another fault.
    const together = NAMES.filter((name) => name !== 'REDIS_CLUSTER_NODES');
    const said = saidOf(Object.fromEntries(together.map((name) => [name, value])));
    expect(together.filter((name) => about(name, said).length > 1)).toEqual([]);
  });

  test('of two items of a list with the same fault, too', () => {
    const said = saidOf({ ALERT_WEBHOOK_SECRET: 'short,shorter', SQS_QUEUE_URLS: 'a,b' });
    expect(said).toHaveLength(new Set(said).size);
  });

  test.each([{ a: 1 }, { a: { b: [1] } }, [[1], {}], null, [null], true])(
    'a value of a configuration file that has no business there: %j',
    (value) => {
      const content = Object.fromEntries(NAMES.map((name) => [name, value]));
      const said = saidOf({}, { 'config/default.json': JSON.stringify(content) });
      expect(said.length).toBeGreaterThan(50);
      for (const text of said) {
        expect(text).toMatch(/^[A-Z][A-Z0-9_]+[.:\w]* /);
        expect(text).not.toMatch(/config(?:uration)? param|not declared|schema|undefined|\[object|convict/i);
      }
      expect(said).toHaveLength(new Set(said).size);
    },
  );

  test('a wrong value is no reason to say that another variable is missing', () => {
    const problems = saidOf({ WEBHOOK_GLOBAL_URL: 'nowhere', WEBHOOK_GLOBAL_ENABLED: 'true' });
    expect(problems).toEqual([expect.stringMatching(/^WEBHOOK_GLOBAL_URL: must be/)]);
  });

  test('where a platform’s name stands for ours, that one is named, too', () => {
    expect(saidOf({ PORT: 'x' })).toEqual([
      'GATEWAY_PORT: must be a whole number from 1 to 65535 (PORT stands for it)',
    ]);
  });

  test('an object where variables stand flat is said to be none', () => {
    const nested = JSON.stringify({ rabbitmq: { uri: 's3cret' }, METRICS_PORT: 9465 });
    const said = saidOf({}, { 'config/default.json': nested });
    expect(said).toEqual([
      expect.stringMatching(/^rabbitmq \(config\/default\.json\): .*"RABBITMQ_URI": "…"/),
    ]);
  });
});

describe('a port that nothing can listen on is refused, wherever an address is set', () => {
  const ADDRESSES = NAMES.filter((name) => {
    const { format } = MODULES.variables[name] ?? {};
    return format?.parse('http://host:1/') !== undefined && /address/.test(format.allowed);
  });

  test('addresses are found at all', () => {
    expect(ADDRESSES).toEqual(
      expect.arrayContaining(['WEBHOOK_GLOBAL_URL', 'CORE_API_URL', 'ALERT_WEBHOOK_URL', 'HTTPS_PROXY']),
    );
  });

  test.each(['http://host:0/', 'http://host:00000', 'http://user:p@[::1]:0/a?b=c:1', 'http://host:65536'])(
    '%s',
    (address) => {
      const said = saidOf(Object.fromEntries(ADDRESSES.map((name) => [name, address])));
      expect(said).toEqual(
        ADDRESSES.map((name) => `${name}: must be an address with a port from 1 to 65535`),
      );
    },
  );

  test.each([
    ['REDIS_URI', 'redis://host:0'],
    ['REDIS_CLUSTER_NODES', 'a:6379,b:0'],
    ['REDIS_SENTINELS', 'a:65536'],
    ['RABBITMQ_URI', 'amqp://host:0'],
    ['RABBITMQ_URI', 'amqps://u:p@host:0/%2F'],
    ['PUSHER_URL', 'https://k:s@host:0/apps/1'],
    ['S3_ENDPOINT', 'host:0'],
    ['S3_ENDPOINT', 'https://host:0/'],
  ])('%s=%s', (name, value) => {
    const said = saidOf({ REDIS_SENTINEL_NAME: 'x', [name]: value });
    expect(about(name, said)).toEqual([expect.stringContaining('a port from 1 to 65535')]);
  });
});
