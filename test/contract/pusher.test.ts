import type { PusherDestination } from '../../src/destinations/pusher/pusher-destination';
import { MAX_REQUESTS, pusherDestination } from '../support/pusher/destination';
import type { ReceivedRequest } from '../support/servers/http-target';
import { httpDestinationSuite } from './http-destination-suite';

interface SentEvent {
  readonly name: string;
  readonly channel: string;
  readonly data: string;
}

function eventsOf({ body }: ReceivedRequest): readonly SentEvent[] {
  return (JSON.parse(body.toString('utf8')) as { batch: SentEvent[] }).batch;
}

const firstOf = (request: ReceivedRequest): SentEvent | undefined => eventsOf(request)[0];

httpDestinationSuite('pusher', () => {
  const created: PusherDestination[] = [];
  return {
    create: (url) => {
      const destination = pusherDestination(url);
      created.push(destination);
      return destination;
    },
    // Pusher has no ids: what a subscriber gets is the same bytes at every attempt.
    identityOf: (request) => firstOf(request)?.data,
    contentOf: (request) => Buffer.from(firstOf(request)?.data ?? ''),
    deliveriesOf: (request) =>
      eventsOf(request).map(({ data }) => ({ identity: data, content: Buffer.from(data) })),
    rejected: [400, 401, 404, 422],
    largestBytes: 10_240,
    perRequest: 10,
    maxConnections: MAX_REQUESTS,
    close: async () => {
      await Promise.all(created.map((destination) => destination.close()));
    },
  };
});
