import { settingsCommand } from '../../../src/cli/settings-command';
import { folderWith } from '../../support/values/folders';

test.each([
  ['on the command line', () => ['set', 'loja', "{webhook:{url:'x'}}"], /^the settings must be JSON, with/],
  ['in a file', (file: string) => ['set', 'loja', '--file', file], /instances\.json must be JSON, with/],
  ['in a file to import', (file: string) => ['import', file], /instances\.json must be JSON, with/],
])('settings %s that are no JSON are refused by their place', async (_where, args, message) => {
  const folder = folderWith({ 'instances.json': '{"a":' });
  const done = settingsCommand().parseAsync(args(`${folder.path}/instances.json`), { from: 'user' });
  await expect(done).rejects.toThrow(message);
  folder.remove();
});
