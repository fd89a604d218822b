import Module from 'node:module';

/*
 * Parts that libraries load for everybody, and that hardly any process of ours uses. They are loaded once something of them is
 * used: nothing is missing, and a worker at rest does without (`npm run bench -- --only start`). Versions are exact in
 * package.json, and a test says which parts are still loaded at once (lazy-parts.test.ts).
 */

/** Puts something in a module's place that turns into it when it is used. */
function loadWhenUsed(path: string): void {
  let real: object | undefined;
  const load = (): object => {
    if (real === undefined) {
      delete require.cache[path];
      real = require(path) as object;
    }
    return real;
  };
  const place = new Module(path);
  place.filename = path;
  place.loaded = true;
  place.exports = new Proxy(
    {},
    {
      // By this compiled imports know what to make of a module, before anything of it is used.
      get: (_target, name) => (name === '__esModule' ? true : Reflect.get(load(), name)),
      has: (_target, name) => name in load(),
      // What is asked for all its names has them.
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_target, name) => {
        const found = Reflect.getOwnPropertyDescriptor(load(), name);
        return found === undefined ? undefined : { ...found, configurable: true };
      },
    },
  );
  require.cache[path] = place;
}

// Zod's messages in fifty languages, most of which take two bytes a letter.
loadWhenUsed(require.resolve('zod/v4/locales'));
// BullMQ reads times of repeated jobs by it, with a library of calendars; no delivery is one.
loadWhenUsed(require.resolve('cron-parser', { paths: [require.resolve('bullmq')] }));
