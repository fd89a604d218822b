import { MODULES } from '../../src/modules';
import { folderWith } from '../support/values/folders';

const folder = folderWith();
afterAll(folder.remove);
const configOf = (environment: Readonly<Record<string, string>>) =>
  MODULES.loadConfig(folder.path, environment).config;

test('a relay without a destination for all instances is named: its events would vanish in silence', () => {
  expect(MODULES.withoutGlobal(configOf({}))).toMatch(/^neither WEBHOOK_GLOBAL_URL nor a global Pusher app/);
  expect(MODULES.withoutGlobal(configOf({ WEBHOOK_GLOBAL_URL: 'https://a.test/' }))).toBeUndefined();
});

describe('a switch of a global destination whose event no source brings', () => {
  const URL = { WEBHOOK_GLOBAL_URL: 'https://a.test/', RABBITMQ_URI: 'amqp://localhost' };
  const notesOf = (environment: Readonly<Record<string, string>>): readonly string[] =>
    MODULES.loadConfig(folder.path, { ...URL, ...environment }).notes;

  // The "Global Event Configuration" of the core API's documents, whose own webhook knows nothing of RabbitMQ's switches.
  const DOCUMENTED = {
    WEBHOOK_EVENTS_MESSAGES_UPSERT: 'true',
    WEBHOOK_EVENTS_CONNECTION_UPDATE: 'true',
    WEBHOOK_EVENTS_INSTANCE_CREATE: 'true',
    RABBITMQ_EVENTS_MESSAGES_UPSERT: 'true',
    RABBITMQ_EVENTS_SEND_MESSAGE: 'true',
  };

  test('is noted with the variable to set, as the event would never come', () => {
    expect(notesOf(DOCUMENTED)).toEqual([
      expect.stringMatching(
        /^WEBHOOK_EVENTS_…: CONNECTION_UPDATE, INSTANCE_CREATE .*RABBITMQ_EVENTS_CONNECTION_UPDATE=true/,
      ),
    ]);
  });

  test('is not noted where another source, or a queue that is consumed as it is, may bring it', () => {
    expect(notesOf({ ...DOCUMENTED, RABBITMQ_QUEUES: 'mine' })).toEqual([]);
    const sqs = { SQS_ENABLED: 'true', SQS_REGION: 'us-east-1', SQS_GLOBAL_ENABLED: 'true' };
    expect(notesOf({ ...DOCUMENTED, ...sqs })).toEqual([]);
    expect(notesOf({ ...DOCUMENTED, ...sqs, SQS_GLOBAL_CALL: 'true' })).toEqual([
      expect.stringContaining('RABBITMQ_EVENTS_CONNECTION_UPDATE=true'),
    ]);
  });

  test('is not noted where nothing is narrowed, or where only instances bring events', () => {
    expect(notesOf({ WEBHOOK_EVENTS_CALL: 'true' })).toEqual([]);
    expect(notesOf({ RABBITMQ_EVENTS_CALL: 'true' })).toEqual([]);
    const notes = notesOf({ ...DOCUMENTED, RABBITMQ_GLOBAL_ENABLED: 'false' });
    expect(notes.filter((note) => note.startsWith('WEBHOOK_EVENTS'))).toEqual([]);
  });

  test('is not noted for events that only exchanges of instances have', () => {
    expect(notesOf({ RABBITMQ_EVENTS_CALL: 'true', WEBHOOK_EVENTS_LOGOUT_INSTANCE: 'true' })).toEqual([]);
  });
});

test('a section that the configuration hinders is named when it is set', () => {
  const off = configOf({});
  expect(MODULES.sections.obstacles(off, { websocket: {} })).toEqual([
    expect.stringContaining('WEBSOCKET_ENABLED is not true'),
  ]);
  expect(MODULES.sections.obstacles(off, { websocket: null, webhook: {} })).toEqual([]);
  expect(MODULES.sections.obstacles(configOf({ WEBSOCKET_ENABLED: 'true' }), { websocket: {} })).toEqual([]);
});
