import { ConfigError } from '../../../src/errors';
import { type InstanceSettings, readSettingsFile } from '../../../src/settings/file';
import { folderWith } from '../../support/folders';

function read(content?: string): InstanceSettings[] {
  const folder = folderWith(content === undefined ? {} : { 'config/instances.json': content });
  try {
    return readSettingsFile(folder.path, 'config/instances.json');
  } finally {
    folder.remove();
  }
}

function problemsOf(content: string): readonly string[] {
  try {
    read(content);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe('SETTINGS_FILE', () => {
  test('takes the "Complete Instance Configuration" of the documents, one or a list', () => {
    const documented = {
      instanceName: 'production-bot',
      integration: 'WHATSAPP-BAILEYS',
      webhook: { enabled: true, url: 'https://api.mycompany.com/whatsapp/webhook', byEvents: true },
      rabbitmq: { enabled: true, events: ['MESSAGES_UPSERT', 'SEND_MESSAGE'] },
    };
    const expected = {
      instance: 'production-bot',
      rabbitmq: { enabled: true, events: new Set(['MESSAGES_UPSERT', 'SEND_MESSAGE']) },
    };
    expect(read(JSON.stringify(documented))).toEqual([expected]);
    expect(read(JSON.stringify([documented, documented]))).toEqual([expected, expected]);
  });

  test('a file that is not there means no instances', () => {
    expect(read()).toEqual([]);
  });

  test('an empty or absent list of events means every event; names are taken in every spelling', () => {
    const eventsOf = (rabbitmq: object): unknown =>
      read(JSON.stringify({ instanceName: 'a', rabbitmq }))[0]?.rabbitmq.events;
    expect(eventsOf({ enabled: true })).toBe('all');
    expect(eventsOf({ enabled: true, events: [] })).toBe('all');
    expect(
      eventsOf({ enabled: true, events: ['GROUP_UPDATE', 'call', 'messages.upsert', 'BRAND_NEW'] }),
    ).toEqual(new Set(['GROUPS_UPDATE', 'CALL', 'MESSAGES_UPSERT', 'BRAND_NEW']));
  });

  test('every entry that is wrong is named', () => {
    const entries = [
      {},
      { instanceName: '' },
      { instanceName: 'a', rabbitmq: { enabled: 'true' } },
      { instanceName: 'b', rabbitmq: { enabled: true, events: 'CALL' } },
      { instanceName: 'good' },
      5,
    ];
    const problems = problemsOf(JSON.stringify(entries));
    expect(problems.map((problem) => /\[(\d)\]/.exec(problem)?.[1])).toEqual(['0', '1', '2', '3', '5']);
  });

  test('a file that is not JSON is named without quoting it: it may hold secrets', () => {
    const problems = problemsOf('{"instanceName":"a","webhook":{"headers":{"authorization": s3cret}}}');
    expect(problems).toEqual([expect.stringContaining('config/instances.json cannot be read')]);
    expect(problems.join()).not.toContain('s3cret');
  });
});
