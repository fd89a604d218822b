/**
 * Outlives the process that started it, to clear away what that one could not: its standard input is a
 * pipe from there, and the pipe closes however that process ends, SIGKILL included. Each line adds
 * (`+`) or takes away (`-`) one thing to clear: `group <pid>` or `folder <path>`. With the id of that process's
 * own parent as an argument, the end of the parent is the end of that process too.
 */
const { rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

const clear = {
  group: (pid) => process.kill(-Number(pid), 'SIGKILL'),
  folder: (path) => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
};

const things = new Set();

const grandparent = Number(process.argv[2]);
const { ppid } = process;
if (grandparent) {
  setInterval(() => {
    try {
      process.kill(grandparent, 0);
    } catch {
      process.kill(ppid, 'SIGKILL');
    }
  }, 500).unref();
}

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
