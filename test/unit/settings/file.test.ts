import { ConfigError } from '../../../src/errors';
import { MODULES } from '../../../src/modules';
import { readSettingsFile, type SettingsFile } from '../../../src/settings/settings-file';
import { folderWith } from '../../support/values/folders';

function read(content?: string): SettingsFile {
  const folder = folderWith(content === undefined ? {} : { 'config/instances.json': content });
  try {
    return readSettingsFile(MODULES.sections, folder.path, 'config/instances.json');
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
      webhook: {
        enabled: true,
        url: 'https://api.mycompany.com/whatsapp/webhook',
        byEvents: true,
        base64: false,
        headers: { Authorization: 'Bearer prod-token-123', 'X-Instance': 'production-bot' },
        events: ['MESSAGES_UPSERT', 'CONNECTION_UPDATE', 'CONTACTS_UPDATE'],
      },
      rabbitmq: { enabled: true, events: ['MESSAGES_UPSERT', 'SEND_MESSAGE'] },
      websocket: { enabled: true, events: ['CONNECTION_UPDATE', 'QRCODE_UPDATED'] },
    };
    const { instanceName, integration: _integration, ...sections } = documented;
    for (const content of [documented, [documented, documented]]) {
      const { settings, warnings } = read(JSON.stringify(content));
      expect([...settings.keys(), ...warnings]).toEqual([instanceName]);
      expect(settings.get(instanceName)).toMatchObject({ ...sections, webhooks: {} });
    }
  });

  test('a file that is not there means no instances', () => {
    expect(read()).toEqual({ settings: new Map(), faults: [], warnings: [] });
  });

  test('one that is named and not there is wrong configuration', () => {
    expect(() => readSettingsFile(MODULES.sections, '/', 'named.json')).toThrow(
      /SETTINGS_FILE: named\.json is not there/,
    );
  });

  test('unknown events are kept, and told', () => {
    const { settings, warnings } = read(
      JSON.stringify({ instanceName: 'a', webhook: { url: 'http://a.test', events: ['CALL', 'BRAND_NEW'] } }),
    );
    expect(settings.get('a')).toMatchObject({ webhook: { events: ['CALL', 'BRAND_NEW'] } });
    expect(warnings).toEqual([expect.stringMatching(/\[0\]\.webhook\.events: BRAND_NEW/)]);
  });

  test('an entry that is wrong is left out alone, and named (row 2)', () => {
    const entries = [
      {},
      { instanceName: '' },
      { instanceName: 'a', rabbitmq: { enabled: 'true' } },
      { instanceName: 'b', rabbitmq: { enabled: true, events: 'CALL' } },
      { instanceName: 'good' },
      5,
    ];
    const { settings, faults } = read(JSON.stringify(entries));
    expect([...settings.keys()]).toEqual(['good']);
    expect(faults.map(({ entry }) => /\[(\d)\]/.exec(entry)?.[1])).toEqual(['0', '1', '2', '3', '5']);
    expect(faults.map(({ error }) => error.instance)).toEqual(['', '', 'a', 'b', '']);
    expect(faults[2]?.error.reason).toContain('config/instances.json[2] is wrong: rabbitmq.enabled');
  });

  test('of two entries for one instance a wrong one leaves out both: which one is meant is not known', () => {
    const { settings, faults } = read(
      JSON.stringify([{ instanceName: 'a' }, { instanceName: 'a', rabbitmq: 'yes' }, { instanceName: 'b' }]),
    );
    expect([...settings.keys()]).toEqual(['b']);
    expect(faults).toHaveLength(1);
  });

  test.each(['5', '"text"', 'null', 'true'])('%s, which is no list of instances, is refused', (content) => {
    expect(problemsOf(content)).toEqual([expect.stringContaining('must hold an object for one instance')]);
  });

  test('a file that is not JSON is named without quoting it: it may hold secrets', () => {
    const problems = problemsOf('{"instanceName":"a","webhook":{"headers":{"authorization": s3cret}}}');
    expect(problems).toEqual([expect.stringContaining('config/instances.json cannot be read')]);
    expect(problems.join()).not.toContain('s3cret');
  });
});
