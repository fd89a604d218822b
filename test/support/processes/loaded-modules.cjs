/** Required before the relay: says at its end how many files of OpenTelemetry it had loaded, beside the name in Node's table. */
process.on('exit', () => {
  const loaded = Object.keys(require.cache).filter((file) =>
    /@opentelemetry\/(?!api\/build\/src\/index\.js)/.test(file),
  );
  process.stderr.write(`files of OpenTelemetry: ${loaded.length}\n`);
});
