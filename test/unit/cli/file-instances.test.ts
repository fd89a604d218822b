import { leftOutLine, namesInFile } from '../../../src/cli/file-instances';
import { MODULES } from '../../../src/modules';
import { folderWith } from '../../support/values/folders';

const section = { rabbitmq: { enabled: true, events: [] } };
const files: { remove(): void }[] = [];
afterAll(() => {
  for (const file of files) file.remove();
});

function configWith(content: string) {
  const folder = folderWith({ 'instances.json': content });
  files.push(folder);
  const environment = { SETTINGS_FILE: `${folder.path}/instances.json` };
  return MODULES.loadConfig(folder.path, environment).config;
}

test('settings ls names what only SETTINGS_FILE has, as it lists what Redis holds', () => {
  const config = configWith(
    JSON.stringify(['loja', 'norte'].map((instanceName) => ({ instanceName, ...section }))),
  );
  expect([...namesInFile(config)]).toEqual(['loja', 'norte']);
  expect(leftOutLine(config, new Set(['loja']))).toMatch(
    /^"norte" is not listed: Redis holds nothing of it, only .*instances\.json does$/,
  );
  expect(leftOutLine(config, new Set(['loja', 'norte']))).toBeUndefined();
});

test('a long list is cut', () => {
  const names = Array.from({ length: 8 }, (_, index) => ({ instanceName: `of-${index}`, ...section }));
  expect(leftOutLine(configWith(JSON.stringify(names)), new Set())).toMatch(
    /"of-4" and 3 more are not listed/,
  );
});

test('a file that is none hinders no command that does without it', () => {
  expect(leftOutLine(configWith('{'), new Set())).toBeUndefined();
});
