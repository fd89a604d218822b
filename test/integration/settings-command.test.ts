import { randomBytes } from 'node:crypto';
import { Scenario } from '../support/harness/scenario';
import { folderWith } from '../support/values/folders';

jest.setTimeout(60_000);

describe('the settings command', () => {
  let scenario: Scenario;
  beforeEach(async () => {
    scenario = await Scenario.start();
  });
  afterEach(() => scenario.close());

  const settings = (...args: string[]) => scenario.command('settings', ...args);

  test('set, get, ls, rm: sections are set one by one, and secrets never come back', async () => {
    const secret = randomBytes(24).toString('base64');
    const webhook = { url: 'https://a.test/x', secret, headers: { authorization: 'Bearer s3cret' } };
    expect((await settings('set', 'loja', JSON.stringify({ webhook }))).code).toBe(0);
    expect((await settings('set', 'loja', '{"websocket":{"events":["CALL"]}}')).code).toBe(0);
    const { stdout } = await settings('get', 'loja');
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain('s3cret');
    expect(JSON.parse(stdout)).toMatchObject({
      webhook: { url: webhook.url },
      websocket: { events: ['CALL'] },
    });
    expect((await settings('ls')).stdout).toMatch(/^loja +on +- +on +- +-$/m);
    expect((await settings('set', 'loja', '{"webhook":null}')).code).toBe(0);
    expect((await settings('ls')).stdout).toMatch(/^loja +- +- +on +- +-$/m);
    expect((await settings('rm', 'loja')).code).toBe(0);
    const gone = await Promise.all([settings('get', 'loja'), settings('rm', 'loja')]);
    expect(gone.map(({ code }) => code)).toEqual([1, 1]);
  });

  test('what export writes import takes, secrets included', async () => {
    const webhook = { url: 'https://a.test/x', headers: { authorization: 'Bearer s3cret' } };
    await settings('set', 'São Paulo/1', JSON.stringify({ webhook }));
    const exported = (await settings('export')).stdout;
    await settings('rm', 'São Paulo/1');
    const file = `/tmp/${scenario.name}.json`;
    const { readFileSync, writeFileSync, rmSync } = await import('node:fs');
    writeFileSync(file, exported);
    try {
      expect((await settings('import', file)).stdout).toBe('imported 1\n');
      expect((await settings('export')).stdout).toBe(exported);
      rmSync(file);
      expect((await settings('export', file)).stdout).toMatch(/^exported \d+ instances? to /);
      expect(readFileSync(file, 'utf8')).toBe(exported);
    } finally {
      rmSync(file);
    }
  });

  test.each([
    [['set', 'loja', '{"webhook":{"url":"ftp://a"}}'], /webhook\.url: must be an address/],
    [['set', 'loja', '{"webhook":{"url":"http://127.1/x"}}'], /webhook\.url .*WEBHOOK_ALLOWED_NETWORKS/],
    [['set', 'loja', '{'], /must be JSON/],
    [['set', 'loja'], /--file/],
    // Nothing of it would be set: "set loja" would be taken for the answer.
    [
      ['set', 'loja', '{"webhok":{"url":"https://a.test/x"}}'],
      /webhok: no such section.*did you mean webhook/,
    ],
    [['set', 'loja', '{"url":"https://a.test/x"}'], /url: .*write {"webhook": {"url": …}}/],
    [['import', '/nowhere.json'], /cannot be read/],
  ])('%j is wrong usage: exit 2, and what helps', async (args, message) => {
    const { code, stderr } = await settings(...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('a file with wrong entries is wrong usage, each of them in a line; nothing of it is set', async () => {
    const folder = folderWith({
      'shops.json': JSON.stringify([
        { instanceName: 'loja', webhook: { url: 'https://a.test/x' } },
        { instanceName: 'norte', webhook: { url: 'http://127.0.0.1/x' } },
        { instanceName: 'sul', webhook: { url: 'ftp://a.test/x' } },
      ]),
    });
    const { code, stderr } = await settings('import', `${folder.path}/shops.json`);
    folder.remove();
    expect([code, stderr.match(/^ {2}- .*shops\.json\[[12]\]\.webhook\.url/gm)]).toEqual([
      2,
      [expect.anything(), expect.anything()],
    ]);
    expect((await settings('ls')).stdout).not.toContain('loja');
  });

  test('unknown events are kept with a warning', async () => {
    const { code, stderr } = await settings('set', 'loja', '{"sqs":{"events":["BRAND_NEW"]}}');
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^warning: sqs\.events: BRAND_NEW/)]);
  });
});
