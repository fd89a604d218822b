import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

export type Service = 'rabbitmq' | 'redis' | 'nginx' | 'chromium' | 'promtool';

const PROGRAMS: Record<Service, readonly string[]> = {
  rabbitmq: ['rabbitmq-server', 'epmd'],
  redis: ['redis-server'],
  nginx: ['nginx'],
  chromium: ['chromium'],
  promtool: ['promtool'],
};

const PACKAGES: Record<Service, string> = {
  rabbitmq: 'rabbitmq-server',
  redis: 'redis-server',
  nginx: 'nginx',
  chromium: 'chromium',
  promtool: 'prometheus',
};

/** RabbitMQ's own folder first: on Debian the command in PATH changes the user and the folder. */
function folders(): string[] {
  const path = (process.env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'));
  return ['/usr/lib/rabbitmq/bin', ...path, '/usr/local/bin', '/usr/sbin', '/usr/bin'];
}

function find(name: string): string | undefined {
  return folders()
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The full path of a program. */
export function program(name: string): string {
  const file = find(name);
  if (file === undefined) throw new Error(`${name} is not installed`);
  return file;
}

export function isInstalled(service: Service): boolean {
  return PROGRAMS[service].every((name) => find(name) !== undefined);
}

export function packagesOf(services: readonly Service[]): string[] {
  return services.map((service) => PACKAGES[service]);
}

/**
 * Debian starts a service as soon as it is installed, unless policy-rc.d says no. The lock, on a folder that
 * every Debian has, keeps copies of this command apart and ends with its holder.
 */
const INSTALL = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
apt-get -q -o DPkg::Lock::Timeout=300 update &&
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
`;

/** Install by apt where that can work; says why where it did not. */
export function install(services: readonly Service[], log: (line: string) => void): string | undefined {
  const aptGet = find('apt-get');
  if (aptGet === undefined) return 'there is no apt-get here';
  if (process.getuid?.() !== 0) return 'apt-get needs root';
  log(`Installing ${packagesOf(services).join(', ')}`);
  const { status, stdout, stderr, error } = spawnSync(
    'flock',
    ['/var/lib/dpkg', 'sh', '-c', INSTALL, 'sh', ...packagesOf(services)],
    { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (services.every(isInstalled)) return undefined;
  if (error) return error.message;
  return `apt-get failed with ${status}: ${`${stdout}${stderr}`.trim().split('\n').slice(-3).join(' | ')}`;
}
