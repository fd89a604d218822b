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

test('a section that the configuration hinders is named when it is set', () => {
  const off = configOf({});
  expect(MODULES.sections.obstacles(off, { websocket: {} })).toEqual([
    expect.stringContaining('WEBSOCKET_ENABLED is not true'),
  ]);
  expect(MODULES.sections.obstacles(off, { websocket: null, webhook: {} })).toEqual([]);
  expect(MODULES.sections.obstacles(configOf({ WEBSOCKET_ENABLED: 'true' }), { websocket: {} })).toEqual([]);
});
