import type { MalformedEventError } from '../../../src/errors';
import type { Envelope, Origin } from '../../../src/events/envelope';
import type { ContentFilter } from '../../../src/filters/content-filter';
import type { Deduplication } from '../../../src/pipeline/deduplication';
import { type Delivery, destinationKey } from '../../../src/pipeline/delivery';
import type { DirectResult } from '../../../src/pipeline/direct-attempts';
import type { Settlement, SourceMessage } from '../../../src/pipeline/message';
import { Relay } from '../../../src/pipeline/relay';
import { route } from '../../../src/pipeline/route';
import type { Tracing } from '../../../src/pipeline/tracing';
import { type Deferred, deferred } from '../signals/signals';
import { eventBody } from '../values/events';
import { FakeDestination, PipelineHarness } from './pipeline-harness';

interface Buried extends Deferred<void> {
  readonly body: Buffer;
  readonly origin: Origin;
  readonly error: MalformedEventError;
}

/** A relay with so many destinations; how each message is settled, and what is counted and observed. */
export function relayHarness(
  destinationCount = 1,
  deduplication?: Deduplication,
  content?: ContentFilter,
  tracing?: Tracing,
) {
  const harness = new PipelineHarness({ perDestination: 1 });
  const destinations = Array.from(
    { length: destinationCount },
    (_, n) => new FakeDestination(`webhook:${n}`),
  );
  const counted: Delivery[] = [];
  const discarded: Delivery[] = [];
  const buried: Buried[] = [];
  const observed: (readonly [what: string, detail: unknown])[] = [];
  const relay = new Relay({
    route: (envelope: Envelope) =>
      route(
        envelope,
        destinations.map((destination) => ({
          destination,
          key: destinationKey(destination.id),
          events: 'all',
          // Of the last one.
          content: destination === destinations.at(-1) ? content : undefined,
        })),
      ),
    directAttempts: harness.directAttempts,
    tracing,
    ...(deduplication === undefined ? {} : { deduplication }),
    countDelivered: (deliveries) => counted.push(...deliveries),
    countDiscarded: (deliveries) => discarded.push(...deliveries),
    buryMalformed: (body, origin, error) => {
      const done = { body, origin, error, ...deferred() };
      buried.push(done);
      return done.promise;
    },
    observer: {
      received: (source, { event }) => observed.push(['received', [source, event]]),
      duplicate: (_source, { id }) => observed.push(['duplicate', id]),
      malformed: (_source, { code }) => observed.push(['malformed', code]),
      filtered: ({ id }) => observed.push(['filtered', id]),
      unwanted: ({ event }) => observed.push(['unwanted', event]),
      settled: (_message, _envelope, results: readonly DirectResult[]) =>
        observed.push(['settled', [...results]]),
    },
  });
  let next = 0;
  const handle = (body: Buffer = eventBody(next++), flaw?: MalformedEventError): Settlement[] => {
    const settlements: Settlement[] = [];
    const message: SourceMessage = {
      body,
      origin: { routingKey: 'x.y' },
      publishedAt: undefined,
      redelivered: false,
      isLost: false,
      ...(flaw === undefined ? {} : { flaw }),
      settle: (settlement) => settlements.push(settlement),
    };
    relay.handle('test', message);
    return settlements;
  };
  /** A message of a channel that may be lost, as RabbitMQ's are. */
  const handOver = (body: Buffer, redelivered = true, copy?: SourceMessage['copy']) => {
    const message = {
      ...(copy === undefined ? {} : { copy }),
      body,
      origin: { routingKey: 'x.y' },
      publishedAt: undefined,
      redelivered,
      isLost: false,
      settlements: [] as Settlement[],
      settle: (settlement: Settlement) => message.settlements.push(settlement),
    };
    relay.handle('test', message);
    return message;
  };
  return {
    ...{ handOver, ...harness, harness, relay, destinations, counted, discarded, buried, observed, handle },
  };
}
