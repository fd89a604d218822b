/**
 * Fails a test file that leaves a socket, server, timer or child process behind. What keeps the process alive
 * is counted when the file begins and once all its hooks have run: an `afterAll` here would run before the
 * file's own.
 */
import { addEventHandler } from 'jest-circus';

const SETTLE_MS = 2_000;

const MEANING: Record<string, string> = {
  TCPSocketWrap: 'socket',
  TCPServerWrap: 'server',
  PipeWrap: 'pipe',
  PipeServerWrap: 'pipe server',
  Timeout: 'timer',
  ProcessWrap: 'child process',
  MessagePort: 'worker thread or message port',
};

// Kept from before a test can put fake timers in its place.
const { setTimeout } = globalThis;

function count(): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return kinds;
}

const before = count();

function leftovers(): string[] {
  return [...count()].flatMap(([kind, now]) => {
    const more = now - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} × ${MEANING[kind] ? `${MEANING[kind]} (${kind})` : kind}`] : [];
  });
}

addEventHandler(async (event, state) => {
  if (event.name !== 'run_finish') return;
  const deadline = Date.now() + SETTLE_MS;
  while (leftovers().length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const left = leftovers();
  if (left.length > 0)
    state.unhandledErrors.push(new Error(`This test file left behind: ${left.join(', ')}`));
});
