/**
 * Fails a test file that leaves a socket, server, timer or child process behind: whatever still keeps the
 * process alive once all the file's hooks have run and did not when it began. An `afterAll` would not do, as it
 * would run before the file's own. Worker threads are not seen: Node lists them nowhere.
 */
import { addEventHandler } from 'jest-circus';

/** Child processes take their time to end on a busy machine; waited for only where something is left. */
const SETTLE_MS = 30_000;

// Kept from before a test can put fake ones in their place.
const { setTimeout } = globalThis;
const { now } = Date;

interface Handle {
  unref?(): void;
  fd?: number;
  destroyed?: boolean;
  connecting?: boolean;
  spawnfile?: string;
  remotePort?: number;
  address?(): { port?: number } | string | null;
  readonly _handle?: { readonly fd?: number } | null;
}

/**
 * Undocumented, but the only way to tell ours from jest's: jest ends some of its own in the meantime, which
 * would make up for ours in a mere count.
 */
function handles(): Handle[] {
  return (process as unknown as { _getActiveHandles(): Handle[] })._getActiveHandles();
}

/** Timers have no handle each, so they are counted. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

const before = { handles: new Set(handles()), timers: timers() };

/** Without the standard streams, which open when they are first written to. */
function newHandles(): Handle[] {
  return handles().filter((handle) => !before.handles.has(handle) && !(Number(handle.fd) <= 2));
}

function describeHandle(handle: Handle): string {
  if (handle.spawnfile) return `child process ${handle.spawnfile}`;
  if (handle.remotePort) return `socket to port ${handle.remotePort}`;
  const address = addressOf(handle);
  if (address && typeof address === 'object' && address.port)
    return `server or socket on port ${address.port}`;
  return [handle.constructor.name, ...statesOf(handle)].join(' ');
}

/** Of one without any address: a pipe, a socket that is not connected yet, or one that was destroyed and is open all the same. */
function statesOf(handle: Handle): string[] {
  // Datagram sockets have none of these, and warn whoever asks for their handle.
  if (handle.destroyed === undefined) return [];
  const { fd, destroyed, connecting, _handle } = handle;
  const states = [destroyed ? 'destroyed' : 'not destroyed', connecting === true ? 'connecting' : ''];
  const kind = _handle === null ? 'its handle was dropped and not closed' : (_handle?.constructor.name ?? '');
  const descriptor = _handle?.fd ?? fd;
  return [...states, kind, descriptor === undefined ? '' : `descriptor ${descriptor}`].filter(Boolean);
}

/** A datagram socket that is just being closed throws. */
function addressOf(handle: Handle): { port?: number } | string | null | undefined {
  try {
    return handle.address?.();
  } catch {
    return null;
  }
}

function leftovers(): string[] {
  const more = timers() - before.timers;
  return [...newHandles().map(describeHandle), ...(more > 0 ? [`${more} × timer`] : [])];
}

addEventHandler(async (event, state) => {
  if (event.name !== 'run_finish') return;
  const deadline = now() + SETTLE_MS;
  while (leftovers().length > 0 && now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const left = leftovers();
  if (left.length === 0) return;
  state.unhandledErrors.push(new Error(`This test file left behind: ${left.join(', ')}`));
  // So that what is left does not keep jest from ending.
  for (const handle of newHandles()) handle.unref?.();
});
