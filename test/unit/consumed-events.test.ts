import { MODULES } from '../../src/modules';
import { parseSettings } from '../../src/settings/document';
import { folderWith } from '../support/values/folders';

const folder = folderWith();
afterAll(folder.remove);

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
        /^WEBHOOK_EVENTS_…: no source brings CONNECTION_UPDATE, INSTANCE_CREATE .*RABBITMQ_EVENTS_CONNECTION_UPDATE=true/,
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

describe('events that the settings of an instance name and no source brings', () => {
  const linesOf = (environment: Readonly<Record<string, string>>, document: object): readonly string[] => {
    const { config } = MODULES.loadConfig(folder.path, environment);
    const parsed = parseSettings(MODULES.sections, document);
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    return MODULES.consumedEvents.setInVain(config, parsed.settings);
  };
  const OWN = { RABBITMQ_URI: 'amqp://localhost', RABBITMQ_GLOBAL_ENABLED: 'false' };
  // The "Complete Instance Configuration" of the core API's documents.
  const DOCUMENTED = {
    webhook: {
      enabled: true,
      url: 'https://api.example.test/whatsapp/webhook',
      events: ['MESSAGES_UPSERT', 'CONNECTION_UPDATE', 'CONTACTS_UPDATE'],
    },
    rabbitmq: { enabled: true, events: ['MESSAGES_UPSERT', 'SEND_MESSAGE'] },
    websocket: { enabled: true, events: ['CONNECTION_UPDATE', 'QRCODE_UPDATED'] },
  };

  test('are told for each section, with what does not name them', () => {
    expect(linesOf(OWN, DOCUMENTED)).toEqual([
      expect.stringMatching(
        /^webhook\.events: no source brings CONNECTION_UPDATE, CONTACTS_UPDATE, which rabbitmq\.events /,
      ),
      expect.stringMatching(/^websocket\.events: no source brings CONNECTION_UPDATE, QRCODE_UPDATED, /),
    ]);
  });

  test('are not told where the global exchange brings them', () => {
    expect(linesOf({ RABBITMQ_URI: 'amqp://localhost' }, DOCUMENTED)).toEqual([]);
  });

  test('are told where neither the global exchange nor the own one brings them, further webhooks included', () => {
    const narrowed = { RABBITMQ_URI: 'amqp://localhost', RABBITMQ_EVENTS_CONNECTION_UPDATE: 'true' };
    const webhooks = { crm: { url: 'https://crm.example.test', events: ['CALL', 'CONNECTION_UPDATE'] } };
    expect(linesOf(narrowed, { ...DOCUMENTED, webhooks })).toEqual([
      expect.stringMatching(
        /^webhook\.events: no source brings CONTACTS_UPDATE, which RABBITMQ_EVENTS_… or rabbitmq\.events /,
      ),
      expect.stringMatching(/^webhooks\.crm\.events: no source brings CALL, /),
      expect.stringMatching(/^websocket\.events: no source brings QRCODE_UPDATED, /),
    ]);
  });

  test('are all of them where nothing of the instance is consumed', () => {
    const webhook = { url: 'https://api.example.test' };
    expect(linesOf(OWN, { webhook })).toEqual([
      expect.stringMatching(/^webhook\.events: no event of this instance is consumed: set rabbitmq for it/),
    ]);
  });

  test('are not told by a process that does not know the sources, or of sections that are off', () => {
    expect(linesOf({}, DOCUMENTED)).toEqual([]);
    expect(linesOf(OWN, { webhook: { ...DOCUMENTED.webhook, enabled: false } })).toEqual([]);
  });

  test('are told of a source that is off here, while others are on', () => {
    const sqs = { enabled: true, events: ['CALL'] };
    const told = 'sqs.enabled: no event comes this way, as the relay does not consume it (SQS_ENABLED)';
    expect(linesOf({ RABBITMQ_URI: 'amqp://localhost' }, { sqs })).toEqual([told]);
    expect(linesOf({ RABBITMQ_URI: 'amqp://localhost' }, { sqs: { ...sqs, enabled: false } })).toEqual([]);
    expect(linesOf({}, { sqs })).toEqual([]);
  });

  test('are counted where a list names nearly every event', () => {
    const events = [
      'CALL',
      'CHATS_SET',
      'CHATS_UPSERT',
      'CHATS_UPDATE',
      'CHATS_DELETE',
      'LABELS_EDIT',
      'TYPEBOT_START',
    ];
    const webhook = { url: 'https://api.example.test', events };
    const rabbitmq = { events: ['MESSAGES_UPSERT'] };
    expect(linesOf(OWN, { webhook, rabbitmq })).toEqual([
      expect.stringContaining('CHATS_DELETE and 2 more, which'),
    ]);
  });
});
