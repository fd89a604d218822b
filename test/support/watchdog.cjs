/**
 * Outlives the process that started it, to clear away what that one could not: its standard input is a
 * pipe from there, and the pipe closes however that process ends, SIGKILL included. Each line adds
 * (`+`) or takes away (`-`) one thing to clear: `group <pid>`, `process <pid>` or `folder <path>`.
 */
const { rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

const clear = {
  group: (pid) => process.kill(-Number(pid), 'SIGKILL'),
  process: (pid) => process.kill(Number(pid), 'SIGKILL'),
  folder: (path) => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
};

const things = new Set();

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line.startsWith('+')) things.add(line.slice(1));
    else things.delete(line.slice(1));
  })
  .on('close', () => {
    // Last in, first out: a process goes before the folder that it writes to.
    for (const thing of [...things].reverse()) {
      const [kind, value] = [thing.slice(0, thing.indexOf(' ')), thing.slice(thing.indexOf(' ') + 1)];
      try {
        clear[kind](value);
      } catch {
        // It is gone already.
      }
    }
  });
