import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe as describeValues } from '../../../src/config/describe';
import type { Loaded } from '../../../src/config/load';
import { MODULES } from '../../../src/modules';
import { folderWith } from '../../support/values/folders';
import { partsOf } from './parts';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

function setup(files: Readonly<Record<string, string>> = {}): (environment?: NodeJS.ProcessEnv) => Loaded {
  const folder = folderWith(files);
  removals.push(folder.remove);
  return (environment = {}) => MODULES.loadConfig(folder.path, environment);
}

const shown = (loaded: Loaded, name: string): [value: string, origin: string] | undefined => {
  const found = describeValues(loaded).find((line) => line.name === name);
  return found && [found.value, found.origin];
};

describe('an .env that cannot be what somebody wrote', () => {
  test('UTF-16 without a mark is named, as with one', () => {
    for (const mark of ['', '\ufeff']) {
      const folder = folderWith({});
      removals.push(folder.remove);
      writeFileSync(join(folder.path, '.env'), Buffer.from(`${mark}WEBHOOK_GLOBAL_URL=http://r/`, 'utf16le'));
      expect(() => MODULES.loadConfig(folder.path, {})).toThrow(/\.env cannot be read: it is UTF-16/);
    }
  });

  test('a file where a folder is looked into is somebody else’s', () => {
    expect(setup({ config: 'a file' })().values['RABBITMQ_QUEUE']).toBe('evolution-relay');
  });

  test('a link that leads nowhere is named', () => {
    const folder = folderWith({});
    removals.push(folder.remove);
    symlinkSync(join(folder.path, 'gone'), join(folder.path, '.env'));
    expect(() => MODULES.loadConfig(folder.path, {})).toThrow(/\.env cannot be read: there is no such file/);
  });
});

describe('layers', () => {
  const files = {
    'config/default.json': JSON.stringify({
      RABBITMQ_QUEUE: 'a',
      RABBITMQ_PREFETCH: 11,
      LOG_LEVEL: ['warn'],
    }),
    'config/staging.json': JSON.stringify({ RABBITMQ_QUEUE: 'b', WEBHOOK_LEGACY_PATHS: true }),
    '.env': 'RABBITMQ_QUEUE=c\nREDIS_PREFIX_KEY="quoted"\n',
  };

  test('quotes that docker hands on from an env file are taken away', () => {
    const load = setup(files);
    const loaded = load({
      RABBITMQ_QUEUE: '"quoted"',
      WEBHOOK_GLOBAL_URL: "''",
      RABBITMQ_EXCHANGE_NAME: '"',
    });
    expect(shown(loaded, 'RABBITMQ_QUEUE')).toEqual(['quoted', 'environment']);
    expect(partsOf(loaded.config).webhook.global).toBeUndefined();
    expect(shown(loaded, 'RABBITMQ_EXCHANGE_NAME')).toEqual(['"', 'environment']);
  });

  test('the stronger layer wins, and each value knows where it came from', () => {
    const load = setup(files);
    expect(shown(load(), 'RABBITMQ_QUEUE')).toEqual(['c', '.env']);
    expect(shown(load({ RABBITMQ_QUEUE: 'd' }), 'RABBITMQ_QUEUE')).toEqual(['d', 'environment']);
    const staging = load({ NODE_ENV: 'staging' });
    expect(shown(staging, 'RABBITMQ_PREFETCH')).toEqual(['11', 'config/default.json']);
    expect(shown(staging, 'WEBHOOK_LEGACY_PATHS')).toEqual(['true', 'config/staging.json']);
    expect(shown(staging, 'REDIS_PREFIX_KEY')).toEqual(['quoted', '.env']);
    expect(shown(staging, 'LOG_LEVEL')).toEqual(['warn', 'config/default.json']);
    expect(shown(staging, 'METRICS_PORT')).toEqual(['9464', 'default']);
  });

  test('files take JSON values as well as texts', () => {
    const content = {
      METRICS_PORT: 1234,
      WEBHOOK_GLOBAL_HEADERS: { a: 'b' },
      WEBHOOK_GLOBAL_URL: 'http://r/',
    };
    const { config } = setup({ 'config/default.json': JSON.stringify(content) })();
    expect(config.metrics.port).toBe(1234);
    expect(partsOf(config).webhook.global?.headers).toEqual({ a: 'b' });
  });

  test('NODE_ENV without such a file changes nothing', () => {
    expect(shown(setup(files)({ NODE_ENV: 'nowhere' }), 'RABBITMQ_QUEUE')).toEqual(['c', '.env']);
  });
});

describe('names that hosting platforms set', () => {
  test('are taken where ours is not set', () => {
    const loaded = setup()({ REDIS_URL: 'redis://platform:1', CLOUDAMQP_URL: 'amqps://platform/vhost' });
    expect(loaded.config.redis.uri).toBe('redis://platform:1');
    expect(partsOf(loaded.config).rabbitmq).toMatchObject({ enabled: true, uri: 'amqps://platform/vhost' });
    expect(shown(loaded, 'REDIS_URI')).toEqual(['redis://platform:1/***', 'environment (REDIS_URL)']);
  });

  test('are taken where ours is empty, and left where ours is set', () => {
    const platform = { REDIS_URL: 'redis://platform:1' };
    expect(setup()({ ...platform, REDIS_URI: '' }).config.redis.uri).toBe('redis://platform:1');
    expect(setup()({ ...platform, REDIS_URI: 'redis://ours:2' }).config.redis.uri).toBe('redis://ours:2');
  });
});

describe('event switches', () => {
  const events = (environment: NodeJS.ProcessEnv): unknown => {
    const { rabbitmq } = partsOf(setup()(environment).config);
    return rabbitmq.events === 'all' ? 'all' : [...rabbitmq.events].sort();
  };

  test('none set: every event', () => {
    expect(events({})).toBe('all');
    expect(events({ RABBITMQ_EVENTS_MESSAGES_UPSERT: '', WEBHOOK_EVENTS_CALL: 'true' })).toBe('all');
  });

  test('as soon as one is set: exactly those that say true', () => {
    expect(events({ RABBITMQ_EVENTS_CALL: 'true', RABBITMQ_EVENTS_MESSAGES_SET: 'false' })).toEqual(['CALL']);
    expect(events({ RABBITMQ_EVENTS_CALL: 'false' })).toEqual([]);
  });

  test('GROUP_UPDATE and GROUPS_UPDATE mean the same', () => {
    expect(events({ RABBITMQ_EVENTS_GROUP_UPDATE: 'true' })).toEqual(['GROUPS_UPDATE']);
    expect(events({ RABBITMQ_EVENTS_GROUPS_UPDATE: 'true' })).toEqual(['GROUPS_UPDATE']);
  });

  test('an event outside the catalogue can be switched on', () => {
    expect(events({ RABBITMQ_EVENTS_BRAND_NEW: 'true' })).toEqual(['BRAND_NEW']);
  });

  test.each([
    [{ RABBITMQ_EVENTS_MESAGES_UPSERT: 'true' }, /^RABBITMQ_EVENTS_MESAGES_UPSERT: .* no event/],
    [{ WEBHOOK_EVENTS_BRAND_NEW: 'true' }, /^WEBHOOK_EVENTS_BRAND_NEW: .* no event/],
    [{ RABBITMQ_EVENTS_CALL: 'false' }, /every RABBITMQ_EVENTS_/],
    [{ RABBITMQ_CONSUME: 'shared' }, /^RABBITMQ_GLOBAL_ENABLED/],
  ])('%j may be a mistake that costs events, so it is told', (environment, warning) => {
    const { warnings } = setup()({ RABBITMQ_URI: 'amqp://localhost', ...environment });
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  test('a webhook that would receive nothing is worth a warning', () => {
    const { warnings } = setup()({ WEBHOOK_GLOBAL_URL: 'http://r/', WEBHOOK_EVENTS_CALL: 'false' });
    expect(warnings).toEqual([expect.stringContaining('WEBHOOK_EVENTS_')]);
  });
});

describe('the example of a .env', () => {
  /** Everything that is commented out, in force; event switches aside, which narrow by being set. */
  const uncommented = MODULES.envExample()
    .split('\n')
    .filter((line) => !/^#[A-Z_]+_MESSAGES_UPSERT=/.test(line))
    .map((line) => line.replace(/^#(?=[A-Z\d_]+=)/, ''))
    .join('\n');

  test('as it stands it sets nothing', () => {
    expect(parseEnv(MODULES.envExample())).toEqual({});
  });

  test('has every variable, and loads to the defaults when uncommented', () => {
    expect(Object.keys(parseEnv(uncommented)).sort()).toEqual(Object.keys(MODULES.variables).sort());
    const fromExample = setup({ '.env': uncommented })();
    expect(fromExample.values).toEqual(setup()().values);
    expect(fromExample.config).toEqual(setup()().config);
  });
});
