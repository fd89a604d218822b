import { randomBytes } from 'node:crypto';
import { SILENT } from '../../src/observability/logging';
import { LinesBroker } from '../support/toy/lines/lines-broker';
import { LinesSource } from '../support/toy/lines/lines-source';
import { sourceSuite } from './source-suite';

// A toy, to show what a source has to do (CONTRIBUTING.md).
sourceSuite('lines', async () => {
  const broker = await LinesBroker.start();
  const { port } = broker;
  const sources: LinesSource[] = [];
  return {
    create: ({ maxMessages = 100, maxBytes = 64 * 1024 * 1024 } = {}) => {
      const source = new LinesSource({ port, maxMessages, maxBytes, log: SILENT });
      sources.push(source);
      return source;
    },
    publish: async (body) => broker.publish(body),
    bodies: [Buffer.alloc(0), Buffer.from('{"a":"é😀"}'), randomBytes(8192), randomBytes(3_000_000)],
    largestBody: 2_500_000,
    holding: { by: 'connection' },
    waiting: async () => broker.waiting,
    goOffline: () => broker.goOffline(),
    goOnline: () => broker.goOnline(),
    closeConnections: () => broker.closeConnections(),
    close: async () => {
      await Promise.all(sources.map((source) => source.close()));
      await broker.goOffline();
    },
  };
});
