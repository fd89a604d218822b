/** One project: unit tests need nothing, the others find RabbitMQ and Redis by RABBITMQ_URI and REDIS_URI. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }] },
  resolver: '<rootDir>/test/support/resolver.cjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/leaks.ts'],
  testTimeout: 30_000,
  // One more than the two processors that most machines of CI have: tests of faults wait for about half of their time.
  maxWorkers: 3,
  // Single files run in a worker, too: beside jest's own timers those that a test leaves behind are not seen.
  workerIdleMemoryLimit: '2GB',
  testSequencer: '<rootDir>/test/support/stages.cjs',
};
