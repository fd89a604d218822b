/** Required before the relay: says at its end how many files of OpenTelemetry's SDK it had loaded. */
process.on('exit', () => {
  const loaded = Object.keys(require.cache).filter((file) => file.includes('@opentelemetry/sdk-trace-base'));
  process.stderr.write(`files of OpenTelemetry: ${loaded.length}\n`);
});
