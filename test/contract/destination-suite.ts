import type { Destination, Outcome } from '../../src/pipeline/delivery';
import { eventually, within } from '../support/signals/signals';
import { deliveryTo, eventBody } from '../support/values/events';

/** What arrived of one attempt. */
export interface Arrival {
  /** What a receiver can tell deliveries apart by. */
  readonly identity: string | undefined;
  readonly content: Buffer;
}

/** A receiver of any kind, with a destination that delivers to it. */
export interface DestinationHarness {
  readonly destination: Destination;
  /** In the order in which they arrived. */
  arrivals(): Promise<readonly Arrival[]>;
  /** Nothing is answered any more; what was asked may still arrive. */
  hang(): void;
  /** Every connection breaks, also those that are made from now on. */
  leave(): Promise<void>;
  /** All is well again after `leave`; resolves when the next attempt may succeed. */
  comeBack(): Promise<void>;
  /** Size of a body that must arrive whole. */
  readonly largestBytes: number;
  /** A time-out or a peer that is away is our own fault, which spends no attempt. */
  readonly isOwnFault: boolean;
  close(): Promise<void>;
}

/** Far above what anything takes on a busy machine, far below what an attempt may take. */
const WITHIN_MS = 15_000;

/** What every destination does, whatever it speaks. */
export function destinationSuite(kind: string, open: () => Promise<DestinationHarness>): void {
  describe(`every destination, whatever it speaks: ${kind}`, () => {
    let harness: DestinationHarness;
    let destination: Destination;

    beforeEach(async () => {
      harness = await open();
      destination = harness.destination;
    });
    afterEach(() => harness.close());

    const start = (number = 1, attempt = 1) =>
      destination.start(deliveryTo(destination, eventBody(number)), attempt);
    const outcomeOf = (number = 1, attempt = 1): Promise<Outcome> =>
      within(start(number, attempt).outcome, WITHIN_MS, () => 'the outcome of an attempt');
    const arrived = (count: number) =>
      eventually(async () => {
        const all = await harness.arrivals();
        return all.length >= count ? all : undefined;
      }, `${count} arrivals`);

    test('is of one kind, has an id, a time limit and a number of attempts', () => {
      expect(destination.id.startsWith(`${destination.kind}:`)).toBe(true);
      expect(destination.timeoutMs).toBeGreaterThan(0);
      expect(destination.maxAttempts).toBeGreaterThan(0);
    });

    test('a delivery has the same identity at every attempt, and another event another one', async () => {
      for (const attempt of [1, 2, 10])
        expect(await outcomeOf(1, attempt)).toMatchObject({ kind: 'delivered' });
      expect(await outcomeOf(2)).toMatchObject({ kind: 'delivered' });
      const [first, second, third, other] = (await arrived(4)).map(({ identity }) => identity);
      expect([second, third]).toEqual([first, first]);
      expect(first).toMatch(/./);
      expect(other).not.toBe(first);
    });

    test('what arrives is the event, data byte for byte', async () => {
      // A number that JSON.parse would round, and characters that an encoder might write in another way.
      const data = '{"key":{"id":"A"},"n":12345678901234567,"text":"ã\\"\u2028 \\u00e3 😀"}';
      const body = eventBody(1, { data: 0 })
        .toString('utf8')
        .replace('"data":0', () => `"data":${data}`);
      await within(
        destination.start(deliveryTo(destination, body), 1).outcome,
        WITHIN_MS,
        () => 'the outcome',
      );
      const [{ content } = { content: Buffer.alloc(0) }] = await arrived(1);
      expect(content.toString('utf8')).toContain(data);
    });

    test('the largest body arrives whole', async () => {
      const data = { message: { conversation: 'ã'.repeat((harness.largestBytes - 500) / 2) } };
      const delivery = deliveryTo(destination, eventBody(1, { data }));
      expect(await destination.start(delivery, 1).outcome).toMatchObject({ kind: 'delivered' });
      const [{ content } = { content: Buffer.alloc(0) }] = await arrived(1);
      expect(content.includes(delivery.envelope.body.subarray(-1000, -200))).toBe(true);
      expect(content.length).toBeGreaterThan(harness.largestBytes - 500);
    });

    test('a receiver that is away takes nothing, and says so; what is tried again afterwards arrives', async () => {
      expect(await outcomeOf(1)).toMatchObject({ kind: 'delivered' });
      await harness.leave();
      const outcomes = await Promise.all([2, 3, 4].map((number) => outcomeOf(number)));
      const kind = harness.isOwnFault ? 'interrupted' : 'failed';
      expect(outcomes).toEqual(
        outcomes.map(() => expect.objectContaining({ kind, code: expect.any(String) })),
      );
      await harness.comeBack();
      for (const number of [2, 3, 4]) expect(await outcomeOf(number, 2)).toMatchObject({ kind: 'delivered' });
    });

    test('many at once arrive, each once', async () => {
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, number) => outcomeOf(number)));
      expect(outcomes.map(({ kind: each }) => each)).toEqual(outcomes.map(() => 'delivered'));
      expect(new Set((await harness.arrivals()).map(({ identity }) => identity)).size).toBe(50);
    });

    test.each(['timeout', 'shutdown'] as const)(
      'a receiver that hangs: an abort by %s ends the attempt at once',
      async (reason) => {
        await outcomeOf(1);
        harness.hang();
        const running = start(2);
        running.abort(reason);
        const outcome = await within(running.outcome, WITHIN_MS, () => 'the end');
        expect(['failed', 'interrupted']).toContain(outcome.kind);
        if (reason === 'shutdown') expect(outcome).toMatchObject({ kind: 'interrupted', code: 'SHUTDOWN' });
        else if (harness.isOwnFault) expect(outcome.kind).toBe('interrupted');
      },
    );

    test('an abort after the end changes nothing, and neither does a second one', async () => {
      const running = start();
      const outcome = await running.outcome;
      running.abort('timeout');
      running.abort('shutdown');
      expect(await running.outcome).toBe(outcome);
      expect(await outcomeOf(2)).toMatchObject({ kind: 'delivered' });
    });

    test('closed once and again it leaves nothing open', async () => {
      await outcomeOf();
      await destination.close();
      await destination.close();
    });
  });
}
