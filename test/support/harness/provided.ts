/** The address of a server that `npm test` provides for all tests. */
export function provided(name: 'RABBITMQ_URI' | 'REDIS_URI'): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: start the tests with npm test`);
  return value;
}
