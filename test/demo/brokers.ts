/** The address of a private, or given, server: `npm run demo` sets these variables. */
export function addressOf(name: 'RABBITMQ_URI' | 'REDIS_URI'): string {
  const uri = process.env[name];
  if (!uri) throw new Error(`${name} must be set: start this as npm run demo`);
  return uri;
}

/** An address without a password that is anybody's secret. */
export function display(uri: string): string {
  const url = new URL(uri);
  if (url.password !== '' && url.password !== 'guest') url.password = '***';
  return url.href;
}
