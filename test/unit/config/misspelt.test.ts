import { MODULES } from '../../../src/modules';
import { CORE_API_ENV } from '../../support/values/core-api-env';
import { folderWith } from '../../support/values/folders';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

function warningsOf(
  environment: NodeJS.ProcessEnv,
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  const folder = folderWith(files);
  removals.push(folder.remove);
  return MODULES.loadConfig(folder.path, environment).warnings;
}

describe('a variable that looks like one of ours and is none is told, with the nearest name (finding 7.1)', () => {
  test.each([
    ['WEBHOOK_GLOBAL_ULR', 'WEBHOOK_GLOBAL_URL'],
    ['RABBITMQ_UIR', 'RABBITMQ_URI'],
    ['RABBITMQ_URL', 'RABBITMQ_URI'],
    ['REDIS_URRI', 'REDIS_URI'],
    ['CORS_ORIGINS', 'CORS_ORIGIN'],
    ['PARKED_MAX_AGE', 'PARKED_MAX_AGE_DAYS'],
    ['webhook_global_url', 'WEBHOOK_GLOBAL_URL'],
    ['WEBHOOK_EVENTS_MESSAGE_UPSERT', 'WEBHOOK_EVENTS_MESSAGES_UPSERT'],
    ['SQS_GLOBAL_ENABLE', 'SQS_GLOBAL_ENABLED'],
    ['RABBITMQ_MESSAGES_UPSERT', 'RABBITMQ_EVENTS_MESSAGES_UPSERT'],
    ['SQS_EVENTS_MESSAGES_UPSERT', 'SQS_GLOBAL_MESSAGES_UPSERT'],
    ['WEBHOOK_EVENT_QRCODE_UPDATED', 'WEBHOOK_EVENTS_QRCODE_UPDATED'],
    ['pusher_call', 'PUSHER_EVENTS_CALL'],
    ['RABBITMQ_EVENTS', 'RABBITMQ_EVENTS_MESSAGES_UPSERT'],
    ['WEBHOOK_GLOBAL_EVENTS', 'WEBHOOK_EVENTS_MESSAGES_UPSERT'],
    ['SQS_EVENT', 'SQS_GLOBAL_MESSAGES_UPSERT'],
    ['WEBHOOKS_EVENTS_CALL', 'WEBHOOK_EVENTS_CALL'],
    ['RABITMQ_EVENTS_QRCODE_UPDATED', 'RABBITMQ_EVENTS_QRCODE_UPDATED'],
  ])('%s', (name, meant) => {
    const warnings = warningsOf({ [name]: 'false' });
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${name}: .*did you mean ${meant}\\?`))]);
  });

  test.each([
    'AWS_REGION',
    'S3_REGION',
    'NO_COLOR',
    'HTTP_PORT',
    'LOG_FILE',
    'REDIS_PORT',
    'REDIS_PASSWORD',
    'RABBITMQ_PASSWORD',
    'RABBITMQ_DEFAULT_USER',
    'WEBHOOK_SERVICE_HOST',
    'WEBHOOK_PORT',
    'PUSHER_PORT_80_TCP_ADDR',
    'GATEWAY_INTERFACE',
    'HOSTNAME',
    'PATH',
  ])('%s is somebody else’s', (name) => {
    expect(warningsOf({ [name]: 'x' })).toEqual([]);
  });

  test('no variable of the core API’s .env is taken for a mistake', () => {
    const warnings = warningsOf({}, { '.env': CORE_API_ENV });
    expect(warnings.filter((text) => text.includes('no such variable'))).toEqual([]);
  });

  test('a file says where; a value is never repeated, as it may be a secret', () => {
    const [warning, ...more] = warningsOf({}, { '.env': 'PUSHER_GLOBAL_SECRETS=s3cret\n' });
    expect(more).toEqual([]);
    expect(warning).toContain('PUSHER_GLOBAL_SECRETS (.env): no such variable');
    expect(warning).not.toContain('s3cret');
  });

  test.each([
    'WEBHOOK_COLOUR_OF_MY_HOUSE',
    'DELIVERY_X',
    'PUSHER_QWERTYUIOP_ASDF',
    'WEBHOOK_GLOBAL_TEMPLATE',
  ])('%s is ours and like none: nothing is suggested that nobody meant', (name) => {
    expect(warningsOf({ [name]: 'x' })).toEqual([`${name}: no such variable, so it has no effect`]);
  });

  test('one that is empty has no effect anyway', () => {
    expect(warningsOf({ WEBHOOK_GLOBAL_ULR: '' })).toEqual([]);
  });
});

describe('files that were written on Windows are read (finding 7.5)', () => {
  test('a byte order mark before .env and JSON is no part of the first name', () => {
    const folder = folderWith({
      '.env': '\uFEFFWEBHOOK_GLOBAL_URL=https://r.example.test/\r\nRABBITMQ_QUEUE=mine\r\n',
      'config/default.json': '\uFEFF{"METRICS_PORT": 9999}',
    });
    removals.push(folder.remove);
    const { values, warnings } = MODULES.loadConfig(folder.path, {});
    expect(warnings).toEqual([]);
    expect(values).toMatchObject({
      WEBHOOK_GLOBAL_URL: 'https://r.example.test/',
      RABBITMQ_QUEUE: 'mine',
      METRICS_PORT: 9999,
    });
  });
});
