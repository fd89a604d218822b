/**
 * Node.js leaves a signal without a listener to the system, which does nothing for the first process of a container: one
 * that comes while the program is being loaded was lost there, and the container killed in the midst of its work. With a
 * listener the signal waits until everything is loaded. A command that has work to drain by then has a listener of its own.
 */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    if (process.listenerCount(signal) === 0) process.exit(EXIT_CODES[signal]);
  });
}
