import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../child';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import { figure, heading, perSecond, verdict } from '../report';

/** 300,000 where throughput is measured with 20,000. */
const TIMES_EVENTS = 15;
const SAMPLE_MS = 500;
/** Events that wait in the queue: enough for the relay never to wait. */
const BACKLOG = 10_000;
const TELL_EVERY = 50_000;
const SILENCE_MS = 30_000;
const MAX_MB = 200;
/** MB per 100,000 events: what the lows vary by from one full collection to the next. */
const FLAT = 5;
/** The first tenth is the process still growing to its size. */
const GROWING = 0.1;

interface Sample {
  readonly received: number;
  readonly megabytes: number;
}

/** Resident memory of the relay while there is always more to do. */
export async function measureMemory(bench: Bench): Promise<void> {
  const events = bench.options.events * TIMES_EVENTS;
  await bench.broker.renewQueue();
  const before = await bench.receiver.received();
  const child = await startContestant(bench, 'relay', bench.receiver.url);
  const startedAt = performance.now();
  const samples: Sample[] = [];
  const state = { received: 0, changedAt: startedAt };
  const sampling = setInterval(() => {
    const megabytes = residentMegabytes(child.pid);
    if (megabytes !== undefined) samples.push({ received: state.received, megabytes });
  }, SAMPLE_MS);
  try {
    await saturate(bench, child, events, async () => {
      const received = (await bench.receiver.received()) - before;
      if (received > state.received) Object.assign(state, { received, changedAt: performance.now() });
      if (performance.now() - state.changedAt > SILENCE_MS)
        throw new Error(`only ${received} of ${events} events were received`);
      return received;
    });
  } finally {
    clearInterval(sampling);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await child.stop();
  await bench.redis.clear();
  report(bench, events, events / seconds, samples);
}

async function saturate(
  { broker, progress }: Bench,
  child: Child,
  count: number,
  read: () => Promise<number>,
): Promise<void> {
  const events = new Events('small');
  let published = 0;
  let nextTold = TELL_EVERY;
  for (let received = 0; received < count; received = await read()) {
    child.check();
    if (published < count && published - received < BACKLOG) {
      const until = Math.min(count, received + BACKLOG);
      for (; published < until; published++) await broker.publish(events.routingKey, events.next());
      await broker.confirmed();
    } else await delay(20);
    if (published >= nextTold) {
      progress(`memory: ${published} of ${count} events published`);
      nextTold += TELL_EVERY;
    }
  }
}

function report({ print }: Bench, events: number, rate: number, samples: readonly Sample[]): void {
  heading(print, `Memory: resident, ${events} events of the small size, the queue never empty`);
  const middle = events / 2;
  const early = samples.filter(({ received }) => received >= events * GROWING && received < middle);
  const late = samples.filter(({ received }) => received >= middle);
  if (early.length === 0 || late.length === 0) {
    figure(print, 'relay', 'no figures: this machine has no /proc, or there were too few events');
    return;
  }
  figure(print, 'events', perSecond(rate));
  const most = Math.max(...samples.map(({ megabytes }) => megabytes));
  verdict(print, { what: 'most', value: most, unit: ' MB', atMost: MAX_MB });
  const rise = (lowest(late) - lowest(early)) / (middle / 100_000);
  verdict(print, { what: 'rise per 100,000 events', value: rise, unit: ' MB', atMost: FLAT });
}

/**
 * Between two full collections, some 100,000 events apart, memory climbs by tens of MB: what stays shows in its lows
 * only. A straight line through all samples would tell where in that cycle the measurement began.
 */
function lowest(samples: readonly Sample[]): number {
  return Math.min(...samples.map(({ megabytes }) => megabytes));
}

/** Undefined where there is no /proc, or no such process any more. */
export function residentMegabytes(pid: number): number | undefined {
  return megabytesOf(pid, 'VmRSS');
}

/** The most that it ever was. */
export function peakMegabytes(pid: number): number | undefined {
  return megabytesOf(pid, 'VmHWM');
}

function megabytesOf(pid: number, name: 'VmRSS' | 'VmHWM'): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}
