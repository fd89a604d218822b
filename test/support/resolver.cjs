/** `import('./x.js')` names what the compiler will have made of `x.ts`. */
module.exports = (path, options) => {
  try {
    return options.defaultResolver(path, options);
  } catch (error) {
    if (!/^\.{1,2}\/.*\.js$/.test(path)) throw error;
    return options.defaultResolver(path.slice(0, -'.js'.length), options);
  }
};
