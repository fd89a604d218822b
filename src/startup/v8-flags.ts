import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Major version of V8 (Node.js 22) that knows no such budget, and whose compiler in between does what it is for. */
const MAGLEV = 12;
/** What the heap grows by between two full collections: 64 MB made no more events a second, and 240 MB while 100,000 are parked. */
const ROOM_BYTES = 32 * 1024 * 1024;
/** Of the room, what is left to the heap itself where the rest is taken by what comes and goes outside it. */
const HEAP_ROOM_BYTES = ROOM_BYTES / 2;
/** However much that is: the heap may grow into it once events are small again. */
const MOST_ROOM_BYTES = 2 * ROOM_BYTES;
/**
 * And no less than this part of what is alive, which begins to count at 128 MB. A collection goes through all that is alive: with
 * 32 MB at 700 MB alive, an event that takes 12 µs of the processor took 65, with this part 23.
 */
const LEAST_PERCENT = 25;
/**
 * While less than this many times the room is left to the heap's limit, V8 decides by itself (0). Near the limit it begins sooner, as
 * memory is taken while it collects: on Node.js 24 a heap limited to 64 MB went over that limit with 50 MB alive, one limited to
 * 96 MB with four times the room as the least, where much comes alive between two collections.
 */
const LEAST_LEFT = 16;

/*
 * Objects whose like survived the first collections are made in the old generation from then on. There those of events
 * that are long done with keep younger ones alive, until a full collection: 1.4 KB of each event, instead of 0.4 KB.
 */
setFlagsFromString('--no-allocation-site-pretenuring');
/*
 * Half of what a program has loaded survives, so that V8 takes the generation of young objects for too small and makes it
 * sixteen times as large: 27 MB that a worker at rest holds for nothing. It grows again once there is work (`growWithWork`).
 */
setFlagsFromString('--semi-space-growth-factor=1');

/**
 * Gives back what loading left behind, once, before there is work: V8 collects when there is no more room, and a worker at rest
 * never comes to that.
 */
export function releaseAfterLoading(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  // The second collection gives back what the first one emptied.
  if (typeof collect === 'function') for (let times = 0; times < 2; times++) collect();
  setFlagsFromString('--no-expose-gc');
}

/**
 * What a worker that finds a full queue needs of V8, whose defaults suit programs with a less sudden start. Figures:
 * 20,000 events of 1.3 KB on two cores, Node 20 (`npm run bench -- --only throughput`).
 *
 * A function is optimised once it has run through a budget of bytecode, together with what it calls. All of the hot
 * path runs thousands of times in the first second, and waits for compiler threads that take a core: an eighth of the
 * budget, and less inlining, which is most of the compiler's work, made 10 % more events a second. While a program loads it only
 * has V8 optimise what hardly runs again: 80 of 410 ms of processor time that any command takes to load.
 */
export function optimiseSoon(): void {
  if (Number.parseInt(process.versions.v8, 10) < MAGLEV) setFlagsFromString('--interrupt-budget=8000');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=300');
}

/** From here on the heap may grow as work needs it. */
export function growWithWork(): void {
  // The generation of young objects as V8 has it: it makes for throughput.
  setFlagsFromString('--semi-space-growth-factor=2');
  keepRoom();
}

/**
 * The next full collection begins when the heap has grown by `ROOM_BYTES` since the last one, or by a part of what is alive. By itself
 * V8 lets it grow by as little as 8 MB where little survives, so that it collected everything five times a second, a fifth of the
 * processor's time (60,000 events of 12 KB). Where much survives it lets the heap grow to four times that: 280 MB instead of 200
 * while 100,000 deliveries are parked (`--only drain`).
 */
function keepRoom(): void {
  const outside = new BytesOutside();
  const observer = new PerformanceObserver((entries) => {
    outside.note(getHeapStatistics().external_memory);
    if (entries.getEntries().some(isFullCollection)) setGrowth(outside.takeSwing());
  });
  observer.observe({ entryTypes: ['gc'] });
  setGrowth(0);
}

/** Bytes that are held outside the heap, as each collection finds them, between two full ones. */
class BytesOutside {
  private least = Number.POSITIVE_INFINITY;
  private most = 0;

  note(bytes: number): void {
    this.least = Math.min(this.least, bytes);
    this.most = Math.max(this.most, bytes);
  }

  /** By how much they came and went; from here on anew. */
  takeSwing(): number {
    const swing = Math.max(0, this.most - this.least);
    this.least = Number.POSITIVE_INFINITY;
    this.most = 0;
    return swing;
  }
}

/**
 * V8 counts what was added outside the heap since the last full collection to the heap's growth, although nearly all of it is gone with
 * the next collection of young objects. Events of 12 KB in flight come and go by 30 MB: without room for them it collected everything
 * each second: 8 to 11 times for 90,000 events, instead of 5 with this room.
 *
 * @param swing by which the bytes outside the heap came and went
 * @param left to the heap's limit: near it there is no more room than without a swing
 */
export function roomFor(swing: number, left: number): number {
  const most = Math.min(MOST_ROOM_BYTES, left / LEAST_LEFT);
  return Math.max(ROOM_BYTES, Math.min(swing + HEAP_ROOM_BYTES, most));
}

/** V8 wants it as a part of what it will find alive at the next full collection, which is about what is alive now. */
function setGrowth(swing: number): void {
  const { used_heap_size: alive, heap_size_limit: limit } = getHeapStatistics();
  const room = roomFor(swing, limit - alive);
  setFlagsFromString(`--heap-growing-percent=${growthPercent(room, alive, limit)}`);
}

/** @param limit of the heap: set by an operator, or what Node.js makes of a container's memory */
export function growthPercent(bytes: number, alive: number, limit: number): number {
  if (limit - alive < LEAST_LEFT * bytes) return 0;
  return Math.max(Math.round((bytes / alive) * 100), LEAST_PERCENT);
}

function isFullCollection(entry: PerformanceEntry): boolean {
  const { detail } = entry as PerformanceEntry & { readonly detail?: { readonly kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
