import { parseEnv } from 'node:util';
import { keyNamed } from '../../../src/events/event-names';
import { MODULES } from '../../../src/modules';
import { sqsConfig } from '../../../src/sources/sqs/sqs-config';
import { CORE_API_2_4_ENV, CORE_API_2_4_NAMES, EVOLUTION_GO_ENV } from '../../support/values/core-api-env';
import { folderWith } from '../../support/values/folders';
import { partsOf } from './parts';

const folder = folderWith();
afterAll(folder.remove);

const load = (environment: Readonly<Record<string, string>>) =>
  MODULES.loadConfig(folder.path, { ...environment });
const rabbit = (environment: Readonly<Record<string, string>>) => partsOf(load(environment).config).rabbitmq;

describe('the core API 2.4', () => {
  it('has an example of a .env that is taken unchanged', () => {
    const environment = parseEnv(CORE_API_2_4_ENV) as Record<string, string>;
    expect(load({ ...environment, REDIS_URI: 'redis://localhost:6379' }).config.outgoing.timeoutMs).toBe(
      60_000,
    );
  });

  it('has 32 names of events, each of which is known in lists and switches', () => {
    expect(CORE_API_2_4_NAMES).toHaveLength(32);
    expect(CORE_API_2_4_NAMES.filter((name) => keyNamed(name) === undefined)).toEqual([]);
  });

  it('switches MESSAGING_HISTORY_SET in every family', () => {
    const name = 'MESSAGING_HISTORY_SET';
    const on = {
      RABBITMQ_URI: 'amqp://localhost',
      SQS_GLOBAL_ENABLED: 'true',
      WEBHOOK_GLOBAL_URL: 'https://r.example.test',
      WEBSOCKET_ENABLED: 'true',
      WEBSOCKET_GLOBAL_EVENTS: 'true',
      PUSHER_ENABLED: 'true',
      PUSHER_GLOBAL_APP_ID: '1',
      PUSHER_GLOBAL_KEY: 'k',
      PUSHER_GLOBAL_SECRET: 's',
      PUSHER_GLOBAL_CLUSTER: 'sa1',
    };
    const families = ['RABBITMQ_EVENTS', 'SQS_GLOBAL', 'WEBHOOK_EVENTS', 'WEBSOCKET_EVENTS', 'PUSHER_EVENTS'];
    const { config, warnings } = load({
      ...on,
      ...Object.fromEntries(families.map((family) => [`${family}_${name}`, 'true'])),
    });
    const { rabbitmq, webhook, webSocket, pusher } = partsOf(config);
    expect([
      rabbitmq.events,
      sqsConfig.of(config).global?.events,
      webhook.global?.events,
      webSocket.global?.events,
      pusher.global?.events,
    ]).toEqual(families.map(() => new Set([name])));
    expect(warnings).toEqual([]);
  });

  it('means with SQS_BASE_URL where its queues are: SQS_ENDPOINT, where that is not set', () => {
    const base = { SQS_BASE_URL: 'https://sqs.example.test/base' };
    expect(sqsConfig.of(load(base).config).endpoint).toBe('https://sqs.example.test/base');
    expect(sqsConfig.of(load({ ...base, SQS_ENDPOINT: 'http://ours.test' }).config).endpoint).toBe(
      'http://ours.test',
    );
  });
});

describe('names of the documents', () => {
  it('WEBHOOK_BY_EVENTS is the by-events option of the global webhook, where its whole name is not set', () => {
    const byEvents = (environment: Readonly<Record<string, string>>): unknown => {
      const { config, warnings } = load({ WEBHOOK_GLOBAL_URL: 'https://r.example.test', ...environment });
      expect(warnings).toEqual([]);
      return partsOf(config).webhook.global?.byEvents;
    };
    expect(byEvents({ WEBHOOK_BY_EVENTS: 'true' })).toBe(true);
    expect(byEvents({ WEBHOOK_BY_EVENTS: 'true', WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS: 'false' })).toBe(false);
  });
});

describe("evolution-go's variables", () => {
  it('AMQP_URL is taken where RABBITMQ_URI is not set', () => {
    expect(rabbit({ AMQP_URL: 'amqp://go' })).toMatchObject({ enabled: true, uri: 'amqp://go' });
    expect(rabbit({ AMQP_URL: 'amqp://go', RABBITMQ_URI: 'amqp://ours' }).uri).toBe('amqp://ours');
  });

  it('are a .env that is taken unchanged: key, address of the webhook and queues', () => {
    const { config, warnings } = load(parseEnv(EVOLUTION_GO_ENV) as Record<string, string>);
    expect(config.gateway.apiKey).toBe('0d1f8f2c5c6b4a7e9d3a');
    expect(partsOf(config).webhook.global?.url).toBe('https://crm.example.test/events');
    expect(partsOf(config).rabbitmq).toMatchObject({ enabled: true, uri: 'amqp://go' });
    expect(warnings).toEqual([]);
  });

  it('give way to the names of ours', () => {
    const { config } = load({
      ...(parseEnv(EVOLUTION_GO_ENV) as Record<string, string>),
      AUTHENTICATION_API_KEY: 'the-key-that-is-ours',
      WEBHOOK_GLOBAL_URL: 'https://ours.example.test',
    });
    expect(config.gateway.apiKey).toBe('the-key-that-is-ours');
    expect(partsOf(config).webhook.global?.url).toBe('https://ours.example.test');
  });

  it("a WEBHOOK_URL without evolution-go's key is somebody else's, such as n8n's: nothing is sent there", () => {
    const { config, warnings } = load({ WEBHOOK_URL: 'https://n8n.example.test' });
    expect(partsOf(config).webhook.global).toBeUndefined();
    expect(warnings.filter((warning) => warning.includes('WEBHOOK_URL'))).toEqual([]);
  });

  it('what is wrong with one of them is told by the name that was written', () => {
    expect(() => load({ GLOBAL_API_KEY: 'a-key-of-evolution-go', WEBHOOK_URL: 'crm' })).toThrow(
      /WEBHOOK_GLOBAL_URL: must be .*\(WEBHOOK_URL stands for it\)/,
    );
  });

  const go = (...names: string[]) => names.map((name) => ({ name, isGo: true }));

  it.each([
    [{ AMQP_GLOBAL_EVENTS: 'MESSAGE,CHAT_PRESENCE' }, go('message', 'chatpresence', 'archive')],
    [{ AMQP_GLOBAL_EVENTS: 'GROUP,MESSAGE' }, go('groupinfo', 'joinedgroup', 'message')],
    [
      { AMQP_GLOBAL_EVENTS: 'MESSAGE', AMQP_SPECIFIC_EVENTS: 'Receipt,SendMessage' },
      go('receipt', 'sendmessage'),
    ],
    [{ AMQP_GLOBAL_EVENTS: 'MESSAGE', AMQP_GLOBAL_ENABLED: 'false' }, []],
    [{ AMQP_GLOBAL_EVENTS: 'MESSAGE', AMQP_GLOBAL_ENABLED: 'true' }, go('message')],
    [
      { AMQP_GLOBAL_EVENTS: 'MESSAGE', RABBITMQ_QUEUES: 'a,b,a' },
      ['a', 'b'].map((name) => ({ name, isGo: false })),
    ],
  ] as const)('%j: the queues that are consumed', (environment, queues) => {
    const { listedQueues } = rabbit({ AMQP_URL: 'amqp://go', ...environment });
    expect(
      [...listedQueues].sort(
        (a, b) => queues.findIndex((q) => q.name === a.name) - queues.findIndex((q) => q.name === b.name),
      ),
    ).toEqual(queues);
  });

  it('ALL means the queues of all events, and a misspelt category is told', () => {
    const { listedQueues } = rabbit({ AMQP_URL: 'amqp://go', AMQP_GLOBAL_EVENTS: 'ALL' });
    expect(listedQueues.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['message', 'qrcode', 'picture']),
    );
    const { warnings } = load({ AMQP_URL: 'amqp://go', AMQP_GLOBAL_EVENTS: 'MESAGE' });
    expect(warnings).toEqual([expect.stringMatching(/AMQP_GLOBAL_EVENTS: MESAGE.*did you mean MESSAGE/)]);
  });
});

describe('RABBITMQ_EXCHANGES and RABBITMQ_QUEUES', () => {
  it('names that AMQP cannot take are refused, each with its variable', () => {
    const long = '字'.repeat(86);
    expect(() =>
      rabbit({ RABBITMQ_URI: 'amqp://h', RABBITMQ_EXCHANGES: `a,${long}`, RABBITMQ_QUEUES: long }),
    ).toThrow(/RABBITMQ_EXCHANGES(.|\n)*RABBITMQ_QUEUES/);
  });

  it('the global exchange among the further ones is not narrowed any more, which is told', () => {
    const { warnings } = load({
      RABBITMQ_URI: 'amqp://h',
      RABBITMQ_EXCHANGES: 'evolution_exchange',
      RABBITMQ_EVENTS_CALL: 'true',
    });
    expect(warnings).toEqual([expect.stringContaining('RABBITMQ_EXCHANGES')]);
  });
});
