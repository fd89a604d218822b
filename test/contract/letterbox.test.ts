import { createHttpClient } from '../../src/network/http-client';
import type { DestinationId } from '../../src/pipeline/delivery';
import { LetterboxDestination } from '../support/toy/letterbox/letterbox-destination';
import { httpDestinationSuite } from './http-destination-suite';

const MAX_CONNECTIONS = 4;

/** A destination that was added by a folder and one line (test/support/toy/toy-modules.ts). */
httpDestinationSuite('letterbox', () => {
  const created: LetterboxDestination[] = [];
  return {
    create: (url) => {
      const client = createHttpClient(new URL(url).origin, {
        connections: MAX_CONNECTIONS,
        connectTimeoutMs: 5000,
      });
      const target = {
        id: 'letterbox:test' as DestinationId,
        url,
        password: undefined,
        timeoutMs: 30_000,
        maxAttempts: 3,
        stripApikey: true,
        shares: [],
      };
      const destination = new LetterboxDestination(target, client);
      created.push(destination);
      return destination;
    },
    identityOf: ({ path }) => path.split('/').at(-1),
    contentOf: ({ body }) => body,
    rejected: [404, 422],
    largestBytes: 1_000_000,
    perRequest: 1,
    maxConnections: MAX_CONNECTIONS,
    close: async () => {
      await Promise.all(created.map((destination) => destination.close()));
    },
  };
});
