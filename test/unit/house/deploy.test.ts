import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

interface Package {
  readonly version?: string;
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
}

/** Oldest Node.js that the project runs on, as a number that can be compared. */
const OLDEST = numberOf(20, 19);

function numberOf(major: number, minor = 0): number {
  return major * 1000 + minor;
}

/** Whether one of the alternatives of a range, such as `20 || >=22.3`, takes `node`. */
function takes(range: string, node: number): boolean {
  return range.split('||').some((alternative) => {
    const [, operator = '', major, minor = '0'] =
      /^\s*([<>=^~v]*)\s*(\d+)?(?:\.(\d+))?/.exec(alternative) ?? [];
    if (major === undefined) return true;
    const from = numberOf(Number(major), Number(minor));
    return operator.startsWith('>') ? node >= from : node >= from && node < numberOf(Number(major) + 1);
  });
}

function imagesIn(file: string, pattern: RegExp): (string | undefined)[] {
  return [...read('deploy', file).matchAll(pattern)].map(([, image]) => image);
}

describe('what is deployed (finding 5.8)', () => {
  it.each([
    ['20 || >=22', true],
    ['>=22', false],
    ['^20.17.0 || >=22.9.0', true],
    ['^22', false],
    ['>= 18', true],
    ['20.x', true],
  ])('the range %s takes Node.js 20.19: %p', (range, expected) => {
    expect(takes(range, OLDEST)).toBe(expected);
  });

  it('no dependency wants a newer Node.js than the project itself', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> };
    const wanting = Object.entries(packages)
      .filter(([, { dev, engines }]) => dev !== true && !takes(engines?.node ?? '>=0', OLDEST))
      .map(([path, { version, engines }]) => `${path}@${version}: ${engines?.node}`);
    expect(wanting).toEqual([]);
  });

  it('images have an exact version', () => {
    const images = imagesIn('docker-compose.yml', /^\s*image: (\S+)$/gm);
    expect(images.length).toBeGreaterThan(1);
    for (const image of images) expect(image).toMatch(/^[\w/.-]+:\d+\.\d+\.\d+(-[\w.]+)?$/);
  });

  it('what our image is made from is pinned by its digest, the same in each stage', () => {
    const images = imagesIn('Dockerfile', /^FROM (\S+)/gm);
    expect(images).toHaveLength(2);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:24\.\d+\.\d+-slim@sha256:[0-9a-f]{64}$/);
  });

  it('nothing of a dependency runs while the image is built', () => {
    const installs = read('deploy', 'Dockerfile').match(/npm (ci|install)[^&\n]*/g) ?? [];
    expect(installs.length).toBeGreaterThan(0);
    for (const install of installs) expect(install).toContain('--ignore-scripts');
  });

  it('a container is asked where its program listens, at PORT of a platform and with empty variables too', () => {
    const question = /^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$/m.exec(read('deploy', 'Dockerfile'))?.[1];
    expect(question).toContain('[e.METRICS_PORT||9464,e.GATEWAY_PORT||e.PORT||8090]');
  });

  it('every server of the composition restarts, and is asked whether it is well; Redis wants a password', () => {
    const services = read('deploy', 'docker-compose.yml')
      .split(/^ {2}(?=\w+:\n {4}(?:image|build))/m)
      .slice(1);
    expect(services.map((text) => /^\w+/.exec(text)?.[0])).toEqual(['rabbitmq', 'redis', 'relay']);
    for (const service of services) expect(service).toContain('restart: unless-stopped');
    for (const service of services.slice(0, 2)) expect(service).toContain('healthcheck:');
    expect(services[1]).toContain('--requirepass');
  });

  it('the composition takes the .env of a core API, and can join its network (finding 7.10)', () => {
    const relay = read('deploy', 'docker-compose.yml').split('\n  relay:\n')[1] ?? '';
    expect(relay).toMatch(/env_file:\n\s+- path: \.\.\/\.env\n\s+required: false/);
    // An empty value would take back what .env says, and so would a name without one: Docker Compose leaves that out of the
    // container where the shell does not set it.
    expect(relay).not.toMatch(/: \$\{[A-Z_]+:?-\}/);
    expect(relay).not.toMatch(/^ {6}[A-Z_]+:\s*$/m);
    // Otherwise both would deliver to the global webhook while the relay moves in, whatever .env says.
    expect(relay).toMatch(/ WEBHOOK_GLOBAL_ENABLED: \$\{RELAY_WEBHOOK_GLOBAL_ENABLED:-true\}\n/);
    const joined = read('deploy', 'docker-compose.core.yml');
    expect(joined).toMatch(/external: true/);
    for (const service of ['rabbitmq', 'relay']) expect(joined).toContain(`\n  ${service}:\n    networks:`);
  });

  it('starting needs no shell of Unix, and documents name commands that there are (finding 7.10)', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scripts['start']).toBe('node dist/main.js start');
    const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
    const documents = [
      'README.md',
      ...pages.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
    ];
    for (const name of documents) expect(read(...name.split('/'))).not.toMatch(/`evolution-relay [a-z]/);
  });
});
