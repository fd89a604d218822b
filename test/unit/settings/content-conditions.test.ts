import { ConfigError } from '../../../src/errors';
import { MODULES } from '../../../src/modules';
import { parseSettings } from '../../../src/settings/document';
import { folderWith } from '../../support/values/folders';

const url = 'https://hooks.example.test/whatsapp';
const app = { appId: '1', key: 'k', secret: 's', cluster: 'eu' };

const problemsOf = (value: unknown): readonly string[] => {
  const parsed = parseSettings(MODULES.sections, value);
  return parsed.ok ? [] : parsed.problems;
};

describe('conditions on content in the settings of an instance', () => {
  const conditions = {
    filter: { $or: [{ 'data.status': { $in: ['READ', null] } }, { 'data.x\\.y': { $exists: false } }] },
    fromMe: false,
    groups: false,
    status: true,
    newsletters: false,
    chats: { only: ['5511988887777', '120363000000000001@g.us'], except: ['99887766554433@lid'] },
    participants: { except: ['5511900000001'] },
    messageTypes: { only: ['imageMessage'] },
    olderThanSeconds: 86_400,
  };

  test('every destination takes them, and they stay as they were given', () => {
    const document = {
      webhook: { url, ...conditions },
      webhooks: { n8n: { url, ...conditions } },
      pusher: { ...app, ...conditions },
      websocket: conditions,
    };
    const parsed = parseSettings(MODULES.sections, document);
    expect(parsed).toMatchObject({ ok: true, warnings: [], settings: document });
  });

  test('sources have none: there it is a field that does not exist', () => {
    const parsed = parseSettings(MODULES.sections, { rabbitmq: { fromMe: false } });
    expect(parsed.ok && parsed.warnings).toEqual(['rabbitmq.fromMe: no such field; it is left out']);
  });

  const chats = Array.from({ length: 10_000 }, (_, index) => `55119${String(index).padStart(8, '0')}`);
  test.each([
    [{ fromMe: 'false' }, 'webhook.fromMe'],
    [{ chats: { only: chats } }, 'webhook.chats.only: must be no more than 1000'],
    [{ chats: { only: [] } }, 'webhook.chats.only: must name at least one'],
    [{ chats: {} }, 'webhook.chats: must have only, except, or both'],
    [{ chats: { onyl: ['1'] } }, 'webhook.chats: there is no such field: onyl; did you mean only?'],
    [{ chats: ['5511988887777'] }, 'webhook.chats: must be an object, such as {"only": ["5511988887777"]}'],
    [{ chats: { only: '5511' } }, 'webhook.chats.only: must be a list, such as ["5511988887777"]'],
    [{ events: 'CALL' }, 'webhook.events: must be a list, such as ["MESSAGES_UPSERT"]'],
    [{ rateLimit: 10 }, 'webhook.rateLimit: must be an object, such as {"count": 100, "seconds": 60}'],
    [{ rateLimit: { count: 1 } }, 'webhook.rateLimit.seconds: is required'],
    [{ coalesce: true }, 'webhook.coalesce: must be an object, such as {"events": ["PRESENCE_UPDATE"]'],
    [{ normalise: true }, 'webhook.normalise: must be an object, such as {"bytes": true}'],
    [
      { participants: { only: ['Marina'] } },
      'webhook.participants.only.0: must be a number or the name of a chat',
    ],
    [{ messageTypes: { except: [''] } }, 'webhook.messageTypes.except.0'],
    [{ olderThanSeconds: 0 }, 'webhook.olderThanSeconds'],
    [{ olderThanSeconds: 1.5 }, 'webhook.olderThanSeconds'],
    [{ filter: 'data.key.fromMe' }, 'webhook.filter: must be an object of paths and conditions'],
    [
      { filter: { 'data.text': { $regex: '(a+)+$' } } },
      'webhook.filter.data.text.$regex: is no operator here',
    ],
    [JSON.parse('{"filter":{"__proto__":{"$foo":1}}}'), 'webhook.filter.__proto__.$foo: is no operator here'],
  ])('%j is refused, and the field named', (given, problem) => {
    expect(problemsOf({ webhook: { url, ...given } })[0]).toContain(problem);
  });

  test('a filter nested 1,000 deep is refused with the limit', () => {
    let filter: object = { 'data.a': 1 };
    for (let level = 0; level < 1000; level++) filter = { $not: filter };
    expect(problemsOf({ webhook: { url, filter } })).toEqual([
      expect.stringMatching(/no deeper than \d+ levels/),
    ]);
  });

  test('the deepest filter that may be fits into settings, at a named webhook too', () => {
    let filter: object = { 'data.a': { $in: [1] } };
    for (let level = 0; level < 5; level++) filter = { $or: [filter] };
    expect(problemsOf({ webhooks: { n8n: { url, filter } } })).toEqual([]);
  });
});

describe('conditions on content in variables', () => {
  const { path: folder, remove } = folderWith({});
  afterAll(remove);

  const problems = (environment: Readonly<Record<string, string>>): readonly string[] => {
    try {
      MODULES.loadConfig(folder, environment);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  };

  test.each([['WEBHOOK_GLOBAL'], ['PUSHER_GLOBAL'], ['WEBSOCKET_GLOBAL']])(
    '%s_…: every one is taken',
    (prefix) => {
      const environment = {
        [`${prefix}_FILTER`]: '{"$or":[{"data.key.fromMe":false},{"event":{"$startsWith":"call"}}]}',
        [`${prefix}_FROM_ME`]: 'false',
        [`${prefix}_GROUPS`]: 'false',
        [`${prefix}_STATUS`]: 'true',
        [`${prefix}_NEWSLETTERS`]: '',
        [`${prefix}_CHATS`]: '{"only":["5511988887777"]}',
        [`${prefix}_PARTICIPANTS`]: '{"except":["5511988887777@s.whatsapp.net"]}',
        [`${prefix}_MESSAGE_TYPES`]: '{"only":["imageMessage"]}',
        [`${prefix}_OLDER_THAN_SECONDS`]: '300',
      };
      expect(problems(environment)).toEqual([]);
    },
  );

  test.each([
    [
      'WEBHOOK_GLOBAL_FILTER',
      '{"data.x":{"$regex":"a"}}',
      'WEBHOOK_GLOBAL_FILTER.data.x.$regex: is no operator here',
    ],
    ['WEBHOOK_GLOBAL_FILTER', '{', 'WEBHOOK_GLOBAL_FILTER: must be empty or JSON'],
    ['PUSHER_GLOBAL_CHATS', '["a"]', 'PUSHER_GLOBAL_CHATS: '],
    [
      'WEBSOCKET_GLOBAL_CHATS',
      '{"only":["Marina"]}',
      'WEBSOCKET_GLOBAL_CHATS.only.0: must be a number or the name',
    ],
    ['WEBHOOK_GLOBAL_GROUPS', 'no', 'WEBHOOK_GLOBAL_GROUPS: must be empty or true or false'],
  ])('%s=%s stops the start, and the place is named', (name, value, problem) => {
    expect(problems({ [name]: value })).toEqual([expect.stringContaining(problem)]);
  });

  test('a path that leads nowhere is a warning', () => {
    const { warnings } = MODULES.loadConfig(folder, { WEBHOOK_GLOBAL_FILTER: '{"key.fromMe":false}' });
    expect(warnings).toEqual([expect.stringMatching(/^WEBHOOK_GLOBAL_FILTER: .*did you mean data\.key\?$/)]);
  });
});

describe('normalise', () => {
  const { path: folder, remove } = folderWith({});
  afterAll(remove);

  test('every destination takes it, and it stays as it was given', () => {
    const normalise = { bytes: true };
    const document = { webhook: { url, normalise }, pusher: { ...app, normalise }, websocket: { normalise } };
    expect(parseSettings(MODULES.sections, document)).toMatchObject({ ok: true, settings: document });
  });

  test.each([
    [{ byte: true }, 'webhook.normalise: there is no such field: byte; did you mean bytes?'],
    [{ bytes: 'yes' }, 'webhook.normalise.bytes'],
    [true, 'webhook.normalise'],
  ])('%j is refused, and the field named', (normalise, problem) => {
    expect(problemsOf({ webhook: { url, normalise } })).toEqual([expect.stringContaining(problem)]);
  });

  test.each([['WEBHOOK_GLOBAL'], ['PUSHER_GLOBAL'], ['WEBSOCKET_GLOBAL']])(
    '%s_NORMALISE is JSON',
    (prefix) => {
      const name = `${prefix}_NORMALISE`;
      expect(() => MODULES.loadConfig(folder, { [name]: '{"bytes":true}' })).not.toThrow();
      expect(() => MODULES.loadConfig(folder, { [name]: '{"byte":true}' })).toThrow(
        `${name}: there is no such field: byte; did you mean bytes?`,
      );
      expect(() => MODULES.loadConfig(folder, { [name]: 'bytes' })).toThrow(`${name}: must be empty or JSON`);
    },
  );
});
