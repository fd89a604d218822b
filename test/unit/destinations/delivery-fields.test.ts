import { limitsOf } from '../../../src/destinations/limits-of';
import { MODULES } from '../../../src/modules';
import { parseSettings } from '../../../src/settings/document';

const SECTIONS = {
  webhook: { url: 'https://example.com/hook' },
  pusher: { appId: '1', key: 'k', secret: 's', cluster: 'us2' },
  websocket: {},
};

function problemsOf(section: keyof typeof SECTIONS, fields: object): readonly string[] {
  const parsed = parseSettings(MODULES.sections, { [section]: { ...SECTIONS[section], ...fields } });
  return parsed.ok ? [] : parsed.problems;
}

const GOOD = {
  concurrency: 5,
  rateLimit: { count: 100, seconds: 60 },
  coalesce: { events: ['PRESENCE_UPDATE', 'chats.update'], seconds: 10 },
  ordered: 'chat' as const,
};

describe.each(['webhook', 'pusher', 'websocket'] as const)('how events are delivered to a %s', (section) => {
  test('may be set', () => expect(problemsOf(section, GOOD)).toEqual([]));

  test.each([
    [{ concurrency: 0 }, 'concurrency'],
    [{ rateLimit: { count: 0, seconds: 60 } }, 'rateLimit.count'],
    [{ rateLimit: { count: 5 } }, 'rateLimit.seconds'],
    [{ rateLimit: { count: 5, seconds: 0.5 } }, 'rateLimit.seconds'],
    [{ rateLimit: { count: 5, second: 1, seconds: 1 } }, 'rateLimit'],
    [{ ordered: 'always' }, 'ordered'],
    [{ coalesce: { events: [], seconds: 5 } }, 'coalesce.events'],
    [{ coalesce: { events: ['CHATS_UPDATE'], seconds: 4000 } }, 'coalesce.seconds'],
  ])('names the field of %j', (fields, path) => {
    const problems = problemsOf(section, fields);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${section}\\.${path.replace('.', '\\.')}: `));
  });

  test('says which events a newer one may replace', () => {
    const [problem] = problemsOf(section, { coalesce: { events: ['MESSAGES_UPSERT'], seconds: 5 } });
    expect(problem).toMatch(
      `${section}.coalesce.events.0: must be one of PRESENCE_UPDATE, CHATS_UPDATE, CONTACTS_UPDATE`,
    );
  });
});

test('what is set is what a destination is held to', () => {
  expect(limitsOf(GOOD)).toEqual({
    concurrency: 5,
    rate: { count: 100, seconds: 60 },
    coalesce: { events: new Set(['PRESENCE_UPDATE', 'CHATS_UPDATE']), withinMs: 10_000 },
    ordered: 'chat',
  });
  expect(limitsOf({})).toEqual({});
});

describe('variables of the global destinations', () => {
  const load = (env: Record<string, string>) =>
    MODULES.loadConfig('/nonexistent', {
      WEBHOOK_GLOBAL_URL: 'https://example.com/hook',
      ...env,
    });

  test('hold objects as JSON', () => {
    const { config } = load({
      WEBHOOK_GLOBAL_RATE_LIMIT: '{"count":5,"seconds":1}',
      WEBHOOK_GLOBAL_CONCURRENCY: '3',
    });
    expect(config.parts['webhook']).toMatchObject({
      global: { limits: { rate: { count: 5, seconds: 1 }, concurrency: 3 } },
    });
  });

  test('hold words as they are', () => {
    const { config } = load({ WEBHOOK_GLOBAL_ORDERED: 'instance' });
    expect(config.parts['webhook']).toMatchObject({ global: { limits: { ordered: 'instance' } } });
    expect(() => load({ WEBHOOK_GLOBAL_ORDERED: 'always' })).toThrow('WEBHOOK_GLOBAL_ORDERED');
  });

  test('name the place of what is wrong', () => {
    expect(() => load({ WEBHOOK_GLOBAL_RATE_LIMIT: '{"count":5}' })).toThrow(
      'WEBHOOK_GLOBAL_RATE_LIMIT.seconds: ',
    );
    expect(() => load({ PUSHER_GLOBAL_COALESCE: '{"events":["CALL"],"seconds":1}' })).toThrow(
      'PUSHER_GLOBAL_COALESCE.events.0: must be one of',
    );
    expect(() => load({ WEBSOCKET_GLOBAL_CONCURRENCY: 'many' })).toThrow('WEBSOCKET_GLOBAL_CONCURRENCY');
  });
});
