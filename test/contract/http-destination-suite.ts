import type { ServerResponse } from 'node:http';
import type { Destination, Outcome } from '../../src/pipeline/delivery';
import {
  HttpTarget,
  type ReceivedRequest,
  refusedUrl,
  respond,
  respondFlood,
  respondRaw,
} from '../support/servers/http-target';
import { turns, within } from '../support/signals/signals';
import { deliveryTo, eventBody } from '../support/values/events';
import { type Arrival, type DestinationHarness, destinationSuite } from './destination-suite';

/** What the suite needs of a kind of destination that speaks HTTP. */
export interface HttpDestinationHarness {
  /** A destination that delivers to the server at `url`. */
  create(url: string): Destination;
  /** What a receiver can tell deliveries apart by. */
  identityOf(request: ReceivedRequest): string | undefined;
  /** The event's body as it arrives. */
  contentOf(request: ReceivedRequest): Buffer;
  /** All deliveries that share a request; without it there is one in each. */
  deliveriesOf?(request: ReceivedRequest): readonly Arrival[];
  /** Answers that will never change, of 400, 401, 403, 404 and 422; the others are worth a retry. */
  readonly rejected: readonly number[];
  /** Size of a body that must arrive whole. */
  readonly largestBytes: number;
  /** Deliveries that share a request where many are made at once. */
  readonly perRequest: number;
  /** Connections to one server that the pool may open. */
  readonly maxConnections: number;
  close(): Promise<void>;
}

/** Far above what anything takes on a busy machine, far below what an attempt may take. */
const WITHIN_MS = 15_000;
/** More than sockets buffer on both sides: an answer of which so much was taken is being read to its end. */
const FAR_TOO_MUCH = 16 * 1024 * 1024;

/** What every destination does, whatever its kind. */
export function httpDestinationSuite(kind: string, open: () => HttpDestinationHarness): void {
  destinationSuite(kind, () => overHttp(open()));
  describe(`every destination: ${kind}`, () => {
    let harness: HttpDestinationHarness;
    let target: HttpTarget;
    let destination: Destination;

    beforeEach(async () => {
      harness = open();
      target = await HttpTarget.start();
      destination = harness.create(target.url);
    });
    afterEach(async () => {
      await harness.close();
      await target.stop();
    });

    const start = (number = 1, attempt = 1) =>
      destination.start(deliveryTo(destination, eventBody(number)), attempt);
    const outcomeOf = (number = 1, attempt = 1): Promise<Outcome> =>
      within(start(number, attempt).outcome, WITHIN_MS, () => 'the outcome of an attempt');

    describe('answers', () => {
      test('the identity of a delivery is the same at every attempt, and another one for another event', async () => {
        for (const [number, attempt] of [
          [1, 1],
          [1, 2],
          [1, 10],
          [2, 1],
        ] as const)
          await outcomeOf(number, attempt);
        const ids = target.received.all.map((request) => harness.identityOf(request));
        expect(new Set(ids.slice(0, 3)).size).toBe(1);
        expect(ids[0]).toMatch(/./);
        expect(ids[3]).not.toBe(ids[0]);
      });

      test.each([200, 201, 202, 204, 299])('%d is delivered', async (status) => {
        target.answer = respond(status);
        expect(await outcomeOf()).toEqual({ kind: 'delivered', status });
      });

      test.each([400, 401, 403, 404, 422])('%d will never change, or is worth a retry', async (status) => {
        target.answer = respond(status, {}, 'no');
        const kind = harness.rejected.includes(status) ? 'rejected' : 'failed';
        expect(await outcomeOf()).toMatchObject({ kind, code: `HTTP_${status}`, status, answer: 'no' });
      });

      test.each([300, 304, 405, 408, 409, 410, 418, 429, 500, 502, 503, 504, 599])(
        '%d is worth a retry',
        async (status) => {
          target.answer = respond(status);
          expect(await outcomeOf()).toMatchObject({ kind: 'failed', code: `HTTP_${status}`, status });
        },
      );

      test.each([301, 302, 303, 307, 308])('%d is not followed', async (status) => {
        target.answer = respond(status, { location: `${target.url}/elsewhere` });
        expect(await outcomeOf()).toMatchObject({ kind: 'failed', code: `HTTP_${status}` });
        expect(target.received.all).toHaveLength(1);
      });

      test('informational answers before the real one do not count', async () => {
        target.answer = respondRaw(
          'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n',
        );
        expect(await outcomeOf()).toMatchObject({ kind: 'failed', code: 'HTTP_503' });
      });

      test('Retry-After is understood in seconds and as a date', async () => {
        target.answer = respond(429, { 'retry-after': '7' });
        expect(await outcomeOf()).toMatchObject({ kind: 'failed', retryAfterMs: 7000 });
        target.answer = respond(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
        const outcome = await outcomeOf(2);
        const asked = outcome.kind === 'failed' ? outcome.retryAfterMs : undefined;
        expect(asked).toBeGreaterThan(50_000);
        expect(asked).toBeLessThanOrEqual(60_000);
      });

      test('the length of a body is announced', async () => {
        await outcomeOf();
        const [request] = target.received.all;
        expect(request?.headers['content-length']).toBe(String(request?.body.length));
      });

      test('of a long answer only the first few KB are kept', async () => {
        target.answer = respond(500, {}, `begin${'é'.repeat(30_000)}`);
        const outcome = await outcomeOf();
        const answer = outcome.kind === 'failed' ? (outcome.answer ?? '') : '';
        expect(answer.startsWith('beginé')).toBe(true);
        expect(answer.length).toBeLessThanOrEqual(2048);
      });
    });

    describe('faults', () => {
      test('nobody listens', async () => {
        destination = harness.create(await refusedUrl());
        expect(await outcomeOf()).toMatchObject({ kind: 'failed', code: 'ECONNREFUSED' });
      });

      test.each<[string, (response: ServerResponse) => void]>([
        ['a reset', ({ socket }) => socket?.resetAndDestroy()],
        ['an end without an answer', ({ socket }) => socket?.end()],
        [
          'a reset within the head of the answer',
          ({ socket }) => socket?.write('HTTP/1.1 20', () => socket.resetAndDestroy()),
        ],
        ['an answer that is not HTTP', ({ socket }) => socket?.end('SSH-2.0-OpenSSH_9.2\r\n')],
        [
          'a switch to another protocol',
          ({ socket }) => socket?.end('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
        ],
        ['a head without end', ({ socket }) => socket?.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(200_000)}`)],
      ])('%s is a failure worth a retry', async (_what, misbehave) => {
        target.answer = misbehave;
        const outcome = await outcomeOf();
        expect(outcome).toMatchObject({ kind: 'failed', code: expect.stringMatching(/^[A-Z][A-Z0-9_]*$/) });
      });

      test.each([
        [200, 'delivered'],
        [500, 'failed'],
      ])(
        'once the status %d is known, a connection that breaks does not change it: %s',
        async (status, kind) => {
          target.answer = (response) => {
            response.writeHead(status, { 'content-length': '100' });
            response.write('half', () => response.socket?.resetAndDestroy());
          };
          expect(await outcomeOf()).toMatchObject({ kind, status });
        },
      );

      test('a receiver that hangs: the attempt ends as soon as it is timed out, and so does the connection', async () => {
        target.answer = () => {};
        const running = start();
        await target.received.count(1);
        running.abort('timeout');
        expect(await within(running.outcome, WITHIN_MS, () => 'the end')).toMatchObject({
          kind: 'failed',
          code: 'TIMEOUT',
        });
        await target.closed.count(1);
      });

      test('a shutdown is an interruption, not a failure, and ends the connection', async () => {
        target.answer = () => {};
        const running = start();
        await target.received.count(1);
        running.abort('shutdown');
        running.abort('timeout');
        expect(await running.outcome).toEqual({ kind: 'interrupted', code: 'SHUTDOWN' });
        await target.closed.count(1);
      });

      test('an attempt may be aborted before it has a connection; it is then never sent', async () => {
        const running = start();
        running.abort('shutdown');
        expect(await running.outcome).toEqual({ kind: 'interrupted', code: 'SHUTDOWN' });
        expect(await outcomeOf(2)).toMatchObject({ kind: 'delivered' });
        expect(target.received.all).toHaveLength(1);
      });

      test('an abort after the end does nothing, and leaves the connection for others', async () => {
        const running = start();
        const outcome = await running.outcome;
        running.abort('timeout');
        expect(await running.outcome).toBe(outcome);
        await turns();
        await outcomeOf(2);
        expect(target.connections).toBe(1);
      });
    });

    describe('answers without end', () => {
      test.each([
        [200, 'delivered'],
        [500, 'failed'],
      ])('a flood after %d is cut off and judged by its status: %s', async (status, kind) => {
        const flood = respondFlood(status, FAR_TOO_MUCH);
        target.answer = flood.answer;
        expect(await outcomeOf()).toMatchObject({ kind, status });
        await target.closed.count(1);
        expect(flood.most()).toBeLessThan(FAR_TOO_MUCH);
      });

      test('memory stays bounded while many of them flood', async () => {
        target.answer = respondFlood(200, FAR_TOO_MUCH).answer;
        const before = process.memoryUsage().external + process.memoryUsage().arrayBuffers;
        for (let number = 0; number < 20; number++) await outcomeOf(number);
        const after = process.memoryUsage().external + process.memoryUsage().arrayBuffers;
        expect(after - before).toBeLessThan(64 * 1024 * 1024);
      });

      test.each([
        [204 - 3, 'delivered'],
        [502, 'failed'],
      ])('drops after %d are cut off in time and judged by its status: %s', async (status, kind) => {
        let drip: NodeJS.Timeout | undefined;
        target.answer = (response) => {
          response.writeHead(status);
          drip = setInterval(() => response.write('.'), 5);
          response.on('close', () => clearInterval(drip));
        };
        const running = start();
        await target.received.count(1);
        // Looked at as the pipeline does, at a faster clock.
        let now = Date.now();
        const looking = setInterval(() => {
          now += 200;
          running.look?.(now);
        }, 2);
        try {
          expect(await within(running.outcome, WITHIN_MS, () => 'the end of drops')).toMatchObject({
            kind,
            status,
          });
        } finally {
          clearInterval(looking);
        }
        await target.closed.count(1);
        expect(now - Date.now()).toBeLessThan(destination.timeoutMs);
      });
    });

    describe('connections', () => {
      test('are kept alive, whatever the answer was', async () => {
        for (const status of [200, 500, 404, 302, 429, 200]) {
          target.answer = respond(status, {}, 'text');
          await outcomeOf(status);
          await turns();
        }
        expect(target.received.all.map(({ connection }) => connection)).toEqual([1, 1, 1, 1, 1, 1]);
      });

      test('are opened anew when the receiver closed the one that was kept', async () => {
        target.answer = respond(200, { connection: 'close' });
        await outcomeOf(1);
        await target.closed.count(1);
        expect(await outcomeOf(2)).toMatchObject({ kind: 'delivered' });
        expect(target.connections).toBe(2);
      });

      test('are bounded, and every attempt gets its turn', async () => {
        const waiting: ServerResponse[] = [];
        target.answer = (response) => {
          waiting.push(response);
          // Only once as many are here as may be: so it is known that there are not more.
          if (waiting.length >= harness.maxConnections) for (const each of waiting.splice(0)) each.end();
        };
        const count = harness.maxConnections * 5 * harness.perRequest;
        const outcomes = await Promise.all(
          Array.from({ length: count }, (_, number) => {
            // Of as many instances, as the events of one may have to wait for each other.
            const body = eventBody(number, { instance: `instance-${number}` });
            const { outcome } = destination.start(deliveryTo(destination, body), 1);
            return within(outcome, WITHIN_MS, () => `delivery ${number}`);
          }),
        );
        expect(outcomes.map(({ kind }) => kind)).toEqual(outcomes.map(() => 'delivered'));
        expect(target.peak).toBe(harness.maxConnections);
      });
    });
  });
}

async function overHttp(harness: HttpDestinationHarness): Promise<DestinationHarness> {
  const target = await HttpTarget.start();
  return {
    destination: harness.create(target.url),
    arrivals: async () =>
      target.received.all.flatMap(
        (request) =>
          harness.deliveriesOf?.(request) ?? [
            { identity: harness.identityOf(request), content: harness.contentOf(request) },
          ],
      ),
    hang: () => {
      target.answer = () => {};
    },
    leave: async () => {
      target.answer = ({ socket }) => socket?.resetAndDestroy();
    },
    comeBack: async () => {
      target.answer = respond(200);
    },
    largestBytes: harness.largestBytes,
    isOwnFault: false,
    close: async () => {
      await harness.close();
      await target.stop();
    },
  };
}
