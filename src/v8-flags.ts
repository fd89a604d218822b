import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Major version of V8 (Node.js 22) that knows no such budget, and whose compiler in between does what it is for. */
const MAGLEV = 12;

/*
 * What a worker that finds a full queue needs of V8, whose defaults suit programs with a less sudden start. Figures:
 * 20,000 events of 1.3 KB on two cores, Node 20 (`npm run bench -- --only throughput`).
 *
 * A function is optimised once it has run through a budget of bytecode, together with what it calls. All of the hot
 * path runs thousands of times in the first second, and waits for compiler threads that take a core: an eighth of the
 * budget, and less inlining, which is most of the compiler's work, made 10 % more events a second.
 */
if (Number.parseInt(process.versions.v8, 10) < MAGLEV) setFlagsFromString('--interrupt-budget=8000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=300');
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
/*
 * Deliveries that wait for Redis outlive collections of young objects, and are garbage of the old generation when they are done.
 * V8 lets that grow to four times what is alive: 280 MB while 100,000 are parked, instead of 212 MB (`--only drain`). With 60 it
 * would be 196 MB, and throughput 6 % less.
 */
setFlagsFromString('--heap-growing-percent=100');

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

/** From here on the generation of young objects may grow, as V8 has it: it makes for throughput. */
export function growWithWork(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
