/**
 * A worker of jest whose work is done gives its memory back piece by piece, which takes a second on a busy machine. jest
 * waits half of one, ends it, and says that tests leak; leaks.ts knows whether they do. It is done here, as this is what
 * every worker loads outside of its tests, once.
 */
if (process.env.JEST_WORKER_ID !== undefined && process.send !== undefined)
  process.once('exit', () => process.exit());

/** `import('./x.js')` names what the compiler will have made of `x.ts`. */
module.exports = (path, options) => {
  try {
    return options.defaultResolver(path, options);
  } catch (error) {
    if (!/^\.{1,2}\/.*\.js$/.test(path)) throw error;
    return options.defaultResolver(path.slice(0, -'.js'.length), options);
  }
};
