/**
 * `npm run sbom`: what the package is made of, as CycloneDX. Which packages these are is taken from package-lock.json: npm's own
 * `--omit=dev` leaves out every package that something of development needs as well, Fastify among them.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nameOf, productionOf } from './production.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

/** npm's bill of everything, and what is left of it. */
export function billOf(whole, lock, { name }) {
  const wanted = new Set(productionOf(lock).map((entry) => `${nameOf(entry)}@${entry[1].version}`));
  const isWanted = (reference) => wanted.has(reference);
  const self = whole.metadata.component['bom-ref'];
  return {
    ...whole,
    // npm names it after the folder that it lies in.
    metadata: { ...whole.metadata, component: { ...whole.metadata.component, name } },
    components: once(whole.components, (component) => component['bom-ref'])
      .filter((component) => isWanted(component['bom-ref']))
      .map((component) => ({ ...component, properties: component.properties.filter(isNoMark) })),
    dependencies: once(whole.dependencies, ({ ref }) => ref)
      .filter(({ ref }) => ref === self || isWanted(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isWanted) })),
  };
}

/** npm 10 lists a package once for each folder that it lies in; a reference must be of one. */
function once(all, referenceOf) {
  return [...new Map(all.map((each) => [referenceOf(each), each])).values()];
}

/** Of a package that is there twice, one of them for development. */
function isNoMark({ name }) {
  return name !== 'cdx:npm:package:development';
}

if (import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  const options = ['--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  // On Windows npm is a script.
  const text = execFileSync('npm', ['sbom', ...options], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
  console.log(
    JSON.stringify(billOf(JSON.parse(text), read('package-lock.json'), read('package.json')), undefined, 2),
  );
}
