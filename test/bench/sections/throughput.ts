import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../child';
import { CONTESTANTS, type Contestant, startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { type EventSize, Events } from '../events';
import type { Receiver } from '../receivers/receiver';
import { figure, heading, perSecond, verdict } from '../report';
import { median, ratios } from '../statistics';

/** The relay as it is, and without its delivery log, of which no baseline has anything (`--only log` says what it costs). */
const RELAYS = ['relay', 'relay, log off'] as const;
const ENTRANTS = [...CONTESTANTS, 'relay, log off'] as const;
type Entrant = (typeof ENTRANTS)[number];
const GOALS: readonly (readonly [baseline: Contestant, atLeast: number])[] = [
  ['bare', 0.85],
  ['job per event', 2.5],
  ['in-process', 4.5],
];
/**
 * Of three parts of the events the first is not measured: V8 compiles what runs often then, which each process pays once, and
 * which single runs of a second mostly consist of. What a start takes is measured by `--only start`.
 */
const PARTS = 3;
const SIZES: readonly EventSize[] = ['small', 'large'];
/** Without a further event for this long, those missing are lost. */
const SILENCE_MS = 20_000;
/** The receiver counts a request when it begins: for the answer and the acknowledgement of the last ones. */
const SETTLE_MS = 300;
/** The counter is read often only around the first and the last event: reading it costs the receiver. */
const READ_MS = { least: 3, most: 50 };

/** Events per second from a queue that was filled before, until the last event is received. */
export async function measureThroughput(bench: Bench): Promise<void> {
  for (const size of SIZES) await measureSize(bench, size);
}

export interface Throughput {
  /** Events per second. */
  readonly rate: number;
  /** Processor time of the process under test, microseconds per event: what noise changes least. */
  readonly cpu: number;
}

/** The counter at one moment. */
interface Reading {
  readonly count: number;
  readonly at: number;
  readonly cpuMs: number;
}

async function measureSize(bench: Bench, size: EventSize): Promise<void> {
  const { events, rounds } = bench.options;
  const measured = new Map<Entrant, Throughput[]>(ENTRANTS.map((entrant) => [entrant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const entrant of inTurn(round)) {
      const throughput = await measure(bench, entrant, size);
      measured.get(entrant)?.push(throughput);
      bench.progress(`throughput ${size}, round ${round + 1}: ${entrant} ${text([throughput])}`);
    }
  }
  const kilobytes = (Events.meanBytes(size) / 1000).toFixed(1);
  heading(
    bench.print,
    `Throughput: ${PARTS * events} events of ${kilobytes} KB, the first third not measured, median of ${rounds}`,
  );
  const ratesOf = (entrant: Entrant) => (measured.get(entrant) ?? []).map(({ rate }) => rate);
  for (const [entrant, throughputs] of measured) figure(bench.print, entrant, text(throughputs));
  for (const relay of RELAYS) {
    for (const [baseline, atLeast] of GOALS) {
      const values = ratios(ratesOf(relay), ratesOf(baseline));
      verdict(bench.print, {
        what: `${relay} / ${baseline}`,
        value: median(values),
        atLeast,
        rounds: values,
      });
    }
  }
}

export function text(throughputs: readonly Throughput[]): string {
  const rate = median(throughputs.map((throughput) => throughput.rate));
  const cpu = median(throughputs.map((throughput) => throughput.cpu));
  return `${perSecond(rate).padStart(8)}, ${Math.round(cpu)} µs of processor time each`;
}

/** Another one begins in each round, so that none always follows the same one. */
function inTurn(round: number): Entrant[] {
  const first = round % ENTRANTS.length;
  return [...ENTRANTS.slice(first), ...ENTRANTS.slice(0, first)];
}

async function measure(bench: Bench, entrant: Entrant, size: EventSize): Promise<Throughput> {
  const { receiver, redis, options } = bench;
  const start = (): Promise<Child> =>
    entrant === 'relay, log off'
      ? startContestant(bench, 'relay', receiver.url, { DELIVERY_LOG_SECONDS: '0' })
      : startContestant(bench, entrant, receiver.url);
  const steady = { count: PARTS * options.events, from: options.events };
  const throughput = await drainQueue(bench, entrant, new Events(size), start, steady);
  await redis.clear();
  return throughput;
}

export interface DrainOptions {
  /** How many there are; as many as the bench was asked for where this is left out. */
  readonly count?: number;
  /** Measured from the event with this number on. */
  readonly from?: number;
  /** What the last events are given for their answers and acknowledgements. */
  readonly settleMs?: number;
  /** Called while the queue is empty. */
  readonly prepare?: () => Promise<void>;
  /** Events that the receiver gets; all of them where this is left out. */
  readonly expected?: number;
}

/** Fills the queue with `events`, and lets the contestant that `start` starts deliver them all. */
export async function drainQueue(
  bench: Bench,
  name: string,
  events: Events,
  start: () => Promise<Child>,
  {
    count = bench.options.events,
    from = 1,
    settleMs = SETTLE_MS,
    expected = count,
    prepare,
  }: DrainOptions = {},
): Promise<Throughput> {
  const { broker, receiver } = bench;
  await broker.renewQueue();
  await prepare?.();
  for (let index = 0; index < count; index++) await broker.publish(events.routingKey, events.next());
  await broker.confirmed();
  const before = await receiver.received();
  const child = await start();
  const throughput = await follow(receiver, before, expected, child, from);
  // Second copies of ordered events may lie there for longer than the events themselves.
  await broker.untilTaken();
  await delay(settleMs);
  await child.stop();
  const left = await broker.left();
  if (left > 0) throw new Error(`${name}: ${left} events were received but not acknowledged`);
  return throughput;
}

/** Reads the counter from the first event, or a later one, to the last. */
export async function follow(
  receiver: Receiver,
  before: number,
  events: number,
  child: Child,
  from = 1,
): Promise<Throughput> {
  let first: Reading | undefined;
  let last: Reading = { count: 0, at: performance.now(), cpuMs: 0 };
  while (last.count < events) {
    await delay(pause(first, last, events));
    child.check();
    const count = (await receiver.received()) - before;
    const reading = { count, at: performance.now(), cpuMs: child.cpuMs };
    if (count > last.count) {
      last = reading;
      if (count >= from) first ??= reading;
    } else if (reading.at - last.at > SILENCE_MS) {
      throw new Error(`only ${count} of ${events} events were received`);
    }
  }
  if (first === undefined || last === first) throw new Error('too few events to measure anything');
  const count = last.count - first.count;
  return {
    rate: (count * 1000) / (last.at - first.at),
    cpu: ((last.cpuMs - first.cpuMs) * 1000) / count,
  };
}

function pause(first: Reading | undefined, last: Reading, events: number): number {
  if (first === undefined || last === first) return READ_MS.least;
  const perMs = (last.count - first.count) / (last.at - first.at);
  const restMs = (events - last.count) / perMs;
  return Math.min(READ_MS.most, Math.max(READ_MS.least, restMs / 2));
}
