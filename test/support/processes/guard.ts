import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';

/** What the watchdog clears away should this process die first. */
export type Guarded = `group ${number}` | `folder ${string}`;

const guarded = new Set<Guarded>();
let watchdog: { child: ChildProcess; pipe: Socket } | undefined;

export function guard(thing: Guarded): void {
  guarded.add(thing);
  watchdog ??= startWatchdog();
  watchdog.pipe.write(`+${thing}\n`);
}

/** The watchdog ends with the last thing it guards. */
export function release(thing: Guarded): void {
  if (!guarded.delete(thing)) return;
  watchdog?.pipe.write(`-${thing}\n`);
  if (guarded.size > 0) return;
  watchdog?.pipe.end();
  watchdog = undefined;
}

function startWatchdog(): { child: ChildProcess; pipe: Socket } {
  // A jest worker, as the channel to its parent shows: it does not notice that jest is gone.
  const parent = process.send ? [`${process.ppid}`] : [];
  const child = spawn(process.execPath, [join(__dirname, 'watchdog.cjs'), ...parent], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const pipe = child.stdin as Socket;
  // Without a watchdog everything works, only not the clearing away after a SIGKILL.
  child.on('error', () => {});
  pipe.on('error', () => {});
  child.unref();
  pipe.unref();
  return { child, pipe };
}
