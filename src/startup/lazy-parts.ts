import Module from 'node:module';

/*
 * Parts that libraries load for everybody, and that hardly any process of ours uses: a worker at rest takes two to three
 * megabytes less without them (`npm run bench -- --only start`). Their libraries have no entry that leaves them out, and are
 * asked for by name in many places, by each other as well. So Node's table of modules has something in the place of such a
 * part until it is used; then the part is loaded, and nothing is missing. Versions are exact in package.json, and a test says
 * which parts are still loaded at once (lazy-parts.test.ts).
 */
function loadWhenUsed(path: string): void {
  const place = new Module(path);
  const parts: object = {};
  const loaded = (): object => {
    if (require.cache[path] === place) {
      delete require.cache[path];
      Object.assign(parts, require(path));
    }
    return parts;
  };
  place.filename = path;
  place.loaded = true;
  place.exports = new Proxy(parts, {
    // Compiled imports ask for this name before anything is used.
    get: (_parts, name) => (name === '__esModule' ? true : Reflect.get(loaded(), name)),
    // The others are for what goes through all names, or copies them.
    has: (_parts, name) => Reflect.has(loaded(), name),
    ownKeys: () => Reflect.ownKeys(loaded()),
    getOwnPropertyDescriptor: (_parts, name) => Reflect.getOwnPropertyDescriptor(loaded(), name),
  });
  require.cache[path] = place;
}

// Zod's messages in fifty languages, most of which take two bytes a letter.
loadWhenUsed(require.resolve('zod/v4/locales'));
// BullMQ reads times of repeated jobs by it, with a library of calendars; no delivery is one.
loadWhenUsed(require.resolve('cron-parser', { paths: [require.resolve('bullmq')] }));
// Prom-client names the span of an exemplar by it, and ours has none; what makes traces loads it then.
loadWhenUsed(require.resolve('@opentelemetry/api'));
