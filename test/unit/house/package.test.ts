import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { folderWith } from '../../support/values/folders';

const ROOT = join(__dirname, '../../..');
const folder = folderWith();
afterAll(folder.remove);

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
}

/** CycloneDX, as far as it is looked at. */
interface Bill {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** What would be published: nothing is built, as other tests run what is there. */
function packed(): string[] {
  const text = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(text) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path);
}

/** What the program reads that is not compiled, where the build puts it. */
function assets(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => join('dist', relative(join(ROOT, 'src'), parentPath), name))
    .sort();
}

describe('the package', () => {
  it('has what runs, and nothing else: no sources, tests, maps or settings', () => {
    const files = packed();
    expect(files.filter((path) => !path.startsWith('dist/')).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'Procfile',
      'README.md',
      'config/default.json',
      'package.json',
    ]);
    const built = files.filter((path) => path.startsWith('dist/'));
    // Tests that need the build are run after it; here there may be none.
    if (!existsSync(join(ROOT, 'dist/main.js'))) return;
    expect(built).toContain('dist/main.js');
    // A gateway does not start without them.
    expect(built.filter((path) => !path.endsWith('.js')).sort()).toEqual(assets());
  });

  it('is made of a new build: what an older one left is removed first', () => {
    const { scripts } = manifest as { scripts: Record<string, string> };
    expect(scripts['prepack']).toBe('node test/support/clean.mjs && npm run build');
  });

  it('is a release by SemVer, that anybody may install, with notes', () => {
    expect(manifest['private']).toBeUndefined();
    expect(manifest['version']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`## [${String(manifest['version'])}]`);
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { version: string };
    expect(lock.version).toBe(manifest['version']);
  });

  it('is of packages under licences that let anybody use it so', () => {
    const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'test/support/licences.mjs')], {
      encoding: 'utf8',
    });
    expect(stdout).not.toContain('NOT TAKEN');
    expect(stdout).toMatch(/taken +MIT: \d+/);
    expect(status).toBe(0);
  });

  it('has a bill of all that it is made of, and of nothing else', () => {
    const { scripts } = manifest as { scripts: Record<string, string> };
    const [program = '', ...args] = (scripts['sbom'] ?? '').split(' ');
    const made = execFileSync(program, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const bill = JSON.parse(made) as Bill;
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; dev?: boolean }>;
    };
    const wanted = Object.entries(lock.packages).flatMap(([path, { version, dev }]) =>
      path === '' || dev === true ? [] : [`${path.replace(/^.*node_modules\//, '')}@${version}`],
    );
    const listed = bill.components.map((component) => component['bom-ref']);
    expect([...listed].sort()).toEqual([...new Set(wanted)].sort());
    expect(bill.metadata.component.name).toBe(manifest['name']);
    const known = new Set([...listed, bill.metadata.component['bom-ref']]);
    const named = bill.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('the image runs as nobody in particular, and writes nothing', () => {
    const dockerfile = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8');
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile.indexOf('USER node')).toBeLessThan(dockerfile.indexOf('ENTRYPOINT'));
    const composition = readFileSync(join(ROOT, 'deploy/docker-compose.yml'), 'utf8');
    expect(composition).toContain('read_only: true');
  });
});

describe('an older Node.js', () => {
  const HOOK = join(__dirname, '../../support/ts-hook.cjs');
  const MODULE = join(ROOT, 'src/startup/node-version.ts');
  const run = (version: string): { status: number | null; stderr: string } => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
    const program = join(folder.path, `node-${version}.cjs`);
    writeFileSync(program, `${pretend};\nrequire(${JSON.stringify(MODULE)});\n`);
    return spawnSync(process.execPath, ['-r', HOOK, program], { encoding: 'utf8' });
  };

  it.each(['18.20.4', '20.18.3', '16.0.0'])(
    '%s ends with one line that says what is needed: exit 1',
    (version) => {
      const { status, stderr } = run(version);
      expect(stderr).toBe(
        `evolution-relay needs Node.js 20.19 or later; this is ${version} (https://nodejs.org)\n`,
      );
      expect(status).toBe(1);
    },
  );

  it.each(['20.19.0', '22.1.0', '24.0.0'])('%s is new enough', (version) => {
    expect(run(version)).toMatchObject({ status: 0, stderr: '' });
  });

  it('is noticed before anything else is loaded', () => {
    const [first] = readFileSync(join(ROOT, 'src/main.ts'), 'utf8').match(/^import .*$/gm) ?? [];
    expect(first).toBe("import './startup/node-version';");
    expect(readFileSync(MODULE, 'utf8')).not.toMatch(/^import /m);
    expect(readdirSync(join(ROOT, 'src/startup'))).toContain('node-version.ts');
  });
});
