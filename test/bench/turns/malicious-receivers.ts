import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { AddressGuard } from '../../../src/network/address-guard';
import { createHttpClient } from '../../../src/network/http-client';
import { MISDEEDS } from '../../support/servers/malicious-receivers';
import { attempt } from '../../support/signals/attempt';
import type { Measure } from './case';

const SUPPORT = join(__dirname, '../../support');
const TIMEOUT_MS = 3000;
const CONNECT_MS = 1500;

/** An attempt at each of the receivers that mean harm, all at once. */
export async function maliciousReceivers(measure: Measure): Promise<number[]> {
  const child = fork(join(SUPPORT, 'servers/malicious-receivers.ts'), {
    execArgv: ['-r', join(SUPPORT, 'ts-hook.cjs')],
  });
  const [ports] = (await once(child, 'message')) as [Readonly<Record<string, number>>];
  const guard = new AddressGuard(['127.0.0.0/8']);
  const pools = Object.keys(MISDEEDS).map((name) =>
    createHttpClient(`http://127.0.0.1:${ports[name]}`, {
      connections: 50,
      connectTimeoutMs: CONNECT_MS,
      connector: guard.connector({ timeout: CONNECT_MS }),
    }),
  );
  const all = (): Promise<unknown> => Promise.all(pools.map((pool) => attempt(pool, TIMEOUT_MS)));
  await all();
  const longest = await measure(all);
  await Promise.all(pools.map((pool) => pool.destroy()));
  child.kill();
  return [longest];
}
