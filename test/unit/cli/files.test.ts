import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSecrets } from '../../../src/cli/files';
import { folderWith } from '../../support/values/folders';

const modeOf = (file: string): number => statSync(file).mode & 0o777;

describe('files with secrets', () => {
  let folder: ReturnType<typeof folderWith>;
  beforeEach(() => {
    folder = folderWith();
  });
  afterEach(() => folder.remove());

  it.each([0o644, 0o666, 0o600])(
    'are for their owner alone, over one with mode %o too (finding 5.5)',
    (mode) => {
      const file = join(folder.path, 'export.json');
      writeFileSync(file, 'older and longer than what follows');
      chmodSync(file, mode);
      writeSecrets(file, 'secrets');
      expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual(['secrets', 0o600]);
      expect(readdirSync(folder.path)).toEqual(['export.json']);
    },
  );

  it('stay where a link leads', () => {
    const [file, link] = [join(folder.path, 'a.json'), join(folder.path, 'link.json')];
    writeFileSync(file, 'older', { mode: 0o644 });
    symlinkSync(file, link);
    writeSecrets(link, 'secrets');
    expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual(['secrets', 0o600]);
  });

  it('a device is written to, not replaced', () => {
    writeSecrets('/dev/null', 'secrets');
    expect(statSync('/dev/null').isFile()).toBe(false);
  });

  it('what cannot be written is named', () => {
    expect(() => writeSecrets(join(folder.path, 'no', 'such.json'), '')).toThrow(
      /such\.json cannot be written: its folder does not exist$/,
    );
  });
});
