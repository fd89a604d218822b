import fc from 'fast-check';
import { ChannelHarness, FakeClient, idOf } from '../../../support/harness/channel-harness';
import { turns } from '../../../support/signals/signals';

/** What may happen to a stream and to those that follow it. */
type Step =
  | { readonly kind: 'publish'; readonly count: number; readonly heard: 'all' | 'none' | 'some' | 'twice' }
  | { readonly kind: 'trim'; readonly keep: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'recover' }
  | { readonly kind: 'join'; readonly at: 'now' | 'past' | 'elsewhere'; readonly reads: boolean }
  | { readonly kind: 'drain' }
  | { readonly kind: 'turn' }
  | { readonly kind: 'hold' }
  | { readonly kind: 'release' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('publish' as const),
    count: fc.integer({ min: 1, max: 70 }),
    heard: fc.constantFrom('all' as const, 'none' as const, 'some' as const, 'twice' as const),
  }),
  fc.record({ kind: fc.constant('trim' as const), keep: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    kind: fc.constant('join' as const),
    at: fc.constantFrom('now' as const, 'past' as const, 'elsewhere' as const),
    reads: fc.boolean(),
  }),
  fc.constantFrom<Step>(
    { kind: 'flush' },
    { kind: 'recover' },
    { kind: 'drain' },
    { kind: 'turn' },
    { kind: 'hold' },
    { kind: 'release' },
  ),
);

/** One run: every event has its place in `history`, whatever became of the stream. */
class Run {
  private readonly harness = new ChannelHarness(50_000);
  private readonly history: string[] = [idOf(0)];
  private readonly clients: { readonly client: FakeClient; readonly from: string }[] = [];
  private number = 0;
  private streams = 1;
  private release = (): void => {};

  async perform(steps: readonly Step[]): Promise<void> {
    await this.harness.channel.open();
    for (const each of steps) await this.take(each);
    this.release();
    // The last look: as after a recovery, or by the periodic question.
    this.harness.channel.recover();
    for (let round = 0; round < 40; round++) {
      for (const { client } of this.clients) client.takeAll();
      await turns(5);
      // Past every pause.
      jest.advanceTimersByTime(3000);
    }
  }

  private async take(given: Step): Promise<void> {
    if (given.kind === 'publish') this.publish(given.count, given.heard);
    else if (given.kind === 'trim') this.harness.stream.keep(given.keep);
    else if (given.kind === 'flush') this.harness.stream.flush(`born-${++this.streams}`);
    else if (given.kind === 'recover') this.harness.channel.recover();
    else if (given.kind === 'join') this.join(given.at, given.reads);
    else if (given.kind === 'drain') for (const { client } of this.clients) client.takeAll();
    else if (given.kind === 'hold') this.hold();
    else if (given.kind === 'release') this.release();
    else {
      await turns(2);
      jest.advanceTimersByTime(1000);
    }
  }

  private publish(count: number, heard: 'all' | 'none' | 'some' | 'twice'): void {
    const numbers = Array.from({ length: count }, () => ++this.number);
    const messages = this.harness.stream.add(numbers, 20_000 / count);
    this.history.push(...messages.map(({ id }) => id));
    if (heard === 'some') this.harness.publish(messages.filter((_, index) => index % 3 !== 1));
    else if (heard !== 'none') this.harness.publish(messages);
    if (heard === 'twice') this.harness.publish(messages);
  }

  private join(at: 'now' | 'past' | 'elsewhere', reads: boolean): void {
    const { channel } = this.harness;
    const past = this.history[this.history.length >> 1] ?? '';
    const from = at === 'now' ? channel.end : at === 'past' ? past : '999-7';
    const client = new FakeClient();
    client.reads = reads;
    client.bufferBytes = 30_000;
    void channel.open();
    channel.join(client, from);
    this.clients.push({ client, from });
  }

  private hold(): void {
    this.release();
    this.release = this.harness.stream.hold();
  }

  /** Every client saw all that came after where it began, in order and once, or was told first that it did not. */
  check(): void {
    const end = this.history.at(-1);
    for (const { client, from } of this.clients) {
      // Where a stream was flushed and nothing came since, a client begins anywhere.
      let [place, isTold] = [this.history.indexOf(from), from === '0-0'];
      for (const seen of client.seen) {
        if (seen.startsWith('[')) isTold = true;
        else {
          const next = this.history.indexOf(seen);
          if (isTold ? next <= place : next !== place + 1) {
            throw new Error(`${seen} after ${this.history[place]} of ${JSON.stringify(client.seen)}`);
          }
          [place, isTold] = [next, false];
        }
      }
      if (this.history[place] !== end && !isTold)
        throw new Error(`${end} is missing after ${this.history[place]}`);
    }
    expect(this.harness.errors).toEqual([]);
  }
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
});
afterEach(() => {
  jest.useRealTimers();
});

test('whatever happens, a client sees everything in order, or is told first what it does not see (findings 8.1, 8.2, 3.21)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const run = new Run();
      await run.perform(steps);
      run.check();
    }),
    { numRuns: 300 },
  );
}, 60_000);
