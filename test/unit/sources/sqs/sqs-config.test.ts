import { ConfigError } from '../../../../src/errors';
import { MODULES } from '../../../../src/modules';
import { type SqsConfig, sqsConfig } from '../../../../src/sources/sqs/sqs-config';
import { folderWith } from '../../../support/values/folders';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

function load(environment: Readonly<Record<string, string>>) {
  const folder = folderWith({});
  removals.push(folder.remove);
  return MODULES.loadConfig(folder.path, { ...environment });
}

const sqs = (environment: Readonly<Record<string, string>>): SqsConfig =>
  sqsConfig.of(load(environment).config);

function problems(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    load(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

const QUEUE = 'https://sqs.sa-east-1.amazonaws.com/123456789012/loja_call.fifo';

test('nothing set: SQS is off, and the names of queues are those documented', () => {
  expect(sqs({})).toMatchObject({
    enabled: false,
    credentials: undefined,
    global: undefined,
    templates: ['{instance}-{event}', '{instance}_{event}.fifo'],
    discoveryMs: 60_000,
    prefetch: 250,
    waitSeconds: 10,
    visibilitySeconds: 30,
  });
});

test('the variables of the core API mean what they mean there', () => {
  const { config, warnings } = load({
    SQS_ENABLED: 'true',
    SQS_ACCESS_KEY_ID: 'id',
    SQS_SECRET_ACCESS_KEY: 'secret',
    SQS_ACCOUNT_ID: '123456789012',
    SQS_REGION: 'us-east-1',
    SQS_GLOBAL_ENABLED: 'true',
    SQS_GLOBAL_FORCE_SINGLE_QUEUE: 'false',
    SQS_GLOBAL_PREFIX_NAME: 'evolution',
    SQS_GLOBAL_MESSAGES_UPSERT: 'true',
    SQS_GLOBAL_GROUP_UPDATE: 'true',
    SQS_GLOBAL_CALL: 'false',
    S3_ENDPOINT: 'minio.internal',
  });
  expect(sqsConfig.of(config)).toMatchObject({
    enabled: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    accountId: '123456789012',
    region: 'us-east-1',
    global: {
      prefix: 'evolution',
      singleQueue: false,
      events: new Set(['MESSAGES_UPSERT', 'GROUPS_UPDATE']),
    },
    s3Origin: 'http://minio.internal:9000',
  });
  expect(warnings).toEqual([]);
});

test.each<[Record<string, string>, string | undefined]>([
  [{}, undefined],
  [{ S3_ENDPOINT: 'minio' }, 'http://minio:9000'],
  [{ S3_ENDPOINT: 'minio', S3_USE_SSL: 'true' }, 'https://minio:9000'],
  [{ S3_ENDPOINT: 'minio', S3_PORT: '443', S3_USE_SSL: 'true' }, 'https://minio'],
  [{ S3_ENDPOINT: 'minio', S3_PORT: '443' }, 'https://minio'],
  [{ S3_ENDPOINT: 'minio', S3_PORT: '9001', S3_USE_SSL: 'false' }, 'http://minio:9001'],
  [{ S3_ENDPOINT: 'minio:80' }, 'http://minio'],
  [{ S3_ENDPOINT: '127.0.0.1:4566', S3_PORT: '9000' }, 'http://127.0.0.1:4566'],
  [{ S3_ENDPOINT: 'https://s3.example.com' }, 'https://s3.example.com'],
  [{ S3_ENDPOINT: 'http://s3.example.com/', S3_PORT: '9000' }, 'http://s3.example.com:9000'],
  [{ S3_ENDPOINT: 'http://[::1]:9000' }, 'http://[::1]:9000'],
  [{ S3_ENDPOINT: 'no host' }, undefined],
])('%j: S3 is trusted at its scheme, host and port (finding 5.7)', (environment, origin) => {
  expect(sqs(environment).s3Origin).toBe(origin);
});

test('queues given by address switch it on and name the region', () => {
  expect(sqs({ SQS_QUEUE_URLS: QUEUE })).toMatchObject({ enabled: true, region: 'sa-east-1' });
  expect(sqs({ SQS_QUEUE_URLS: QUEUE, SQS_REGION: 'us-east-1' }).region).toBe('us-east-1');
  expect(sqs({ SQS_ENABLED: 'true' }).region).toBeUndefined();
  expect(sqs({ SQS_ENABLED: 'true', SQS_ENDPOINT: 'http://localhost:4566' }).region).toBe('us-east-1');
});

test.each<[Record<string, string>, string]>([
  [{ SQS_ACCESS_KEY_ID: 'id' }, 'SQS_ACCESS_KEY_ID, SQS_SECRET_ACCESS_KEY: must both be set'],
  [{ SQS_ACCOUNT_ID: '1234' }, 'SQS_ACCOUNT_ID: must be the 12 digits'],
  [{ SQS_QUEUE_URLS: 'loja_call.fifo' }, 'SQS_QUEUE_URLS: must be addresses of queues'],
  [{ SQS_QUEUE_TEMPLATES: '{instance}.{event}' }, 'SQS_QUEUE_TEMPLATES: "{instance}.{event}" must be'],
  [{ SQS_QUEUE_TEMPLATES: '{instance}' }, 'SQS_QUEUE_TEMPLATES: "{instance}" must be'],
  [{ SQS_GLOBAL_PREFIX_NAME: 'a.b' }, 'SQS_GLOBAL_PREFIX_NAME: must be'],
  [{ SQS_GLOBAL_PREFIX_NAME: 'x'.repeat(71) }, 'SQS_GLOBAL_PREFIX_NAME: must be'],
  [{ SQS_QUEUE_URLS: `https://sqs.example.com/1/${'x'.repeat(76)}.fifo` }, 'SQS_QUEUE_URLS: must be'],
  [{ SQS_ENDPOINT: 'localhost' }, 'SQS_ENDPOINT'],
  [{ SQS_WAIT_SECONDS: '21' }, 'SQS_WAIT_SECONDS'],
  [{ DEDUPLICATION_SECONDS: '-1' }, 'DEDUPLICATION_SECONDS'],
])('%p is refused, naming the variable', (environment, problem) => {
  expect(problems(environment)).toEqual([expect.stringContaining(problem)]);
});

test('events compared: off unless told otherwise', () => {
  expect(load({}).config.deduplicationMs).toBe(0);
  expect(load({ DEDUPLICATION_SECONDS: '300' }).config.deduplicationMs).toBe(300_000);
});
