import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BEYOND_DRAIN_MS } from '../../../src/cli/supervise';
import { MODULES } from '../../../src/modules';

const FOLDER = join(__dirname, '../../../deploy/systemd');
const UNITS = readdirSync(FOLDER).filter((name) => name.endsWith('.service'));

type Unit = ReadonlyMap<string, string>;

/** Every directive by its name; none of them stands there twice. */
function unitOf(name: string): Unit {
  const unit = new Map<string, string>();
  for (const line of readFileSync(join(FOLDER, name), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#') || line.startsWith('[')) continue;
    const [, key = '', value = ''] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    expect({ line, key }).not.toEqual({ line, key: '' });
    expect([name, key, unit.has(key) && key !== 'Environment']).toEqual([name, key, false]);
    unit.set(key, value);
  }
  return unit;
}

describe.each(UNITS)('%s', (name) => {
  const unit = unitOf(name);

  it('leaves more time to end than a drain takes with the defaults, and than its supervisor waits', () => {
    const { config } = MODULES.loadConfig(join(__dirname, 'nowhere'), {});
    const longest = config.shutdownTimeoutMs + BEYOND_DRAIN_MS;
    expect(Number(unit.get('TimeoutStopSec')) * 1000).toBeGreaterThan(longest);
  });

  it('asks the main process alone to drain, and does not repeat a wrong configuration', () => {
    expect(unit.get('KillSignal')).toBe('SIGTERM');
    expect(unit.get('KillMode')).toBe('mixed');
    expect(unit.get('RestartPreventExitStatus')).toBe('2');
    expect(unit.get('Type')).toBe('exec');
  });

  it('starts what there is', () => {
    expect(unit.get('ExecStart')).toMatch(
      /^\/usr\/bin\/node dist\/main\.js (worker --processes auto|gateway)$/,
    );
  });

  it('may do nothing but speak to the network', () => {
    for (const directive of [
      'NoNewPrivileges',
      'PrivateDevices',
      'PrivateTmp',
      'ProtectClock',
      'ProtectControlGroups',
      'ProtectHome',
      'ProtectKernelModules',
      'ProtectKernelTunables',
      'RestrictNamespaces',
      'RestrictSUIDSGID',
    ])
      expect([directive, unit.get(directive)]).toEqual([directive, 'yes']);
    expect(unit.get('ProtectSystem')).toBe('strict');
    expect(unit.get('CapabilityBoundingSet')).toBe('');
    expect(unit.get('User')).toBe('evolution-relay');
    // V8 compiles to memory.
    expect(unit.has('MemoryDenyWriteExecute')).toBe(false);
  });
});

it('workers that are killed for their memory are replaced one by one', () => {
  expect(unitOf('evolution-relay-worker.service').get('OOMPolicy')).toBe('continue');
});
