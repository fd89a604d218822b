/** What is done to what, for how long, and how long after the one before it began. */
export interface Step {
  readonly fault: FaultName;
  /** Which of the workers or receivers, where there are several. */
  readonly target: number;
  readonly afterMs: number;
  readonly forMs: number;
}

export const FAULTS = [
  'worker killed',
  'worker frozen',
  'worker drained',
  'redis cut',
  'redis silent',
  'redis restarted',
  'broker cut',
  'broker ends connections',
  'broker away',
  'receiver hangs',
  'receiver answers 500',
  'receiver answers 429',
  'receiver resets',
  'receiver slow',
  'receiver refuses',
] as const;

export type FaultName = (typeof FAULTS)[number];

const PAUSE_MS = { least: 500, most: 4000 };
const LENGTH_MS = { least: 300, most: 6000 };

/** The same for the same seed, however quick the machine is. */
export function planOf(seed: number, minutes: number, targets: number): Step[] {
  const random = randomOf(seed);
  const between = (least: number, most: number): number => Math.floor(least + random() * (most - least));
  const steps: Step[] = [];
  for (let atMs = 0; ; ) {
    const afterMs = between(PAUSE_MS.least, PAUSE_MS.most);
    const forMs = between(LENGTH_MS.least, LENGTH_MS.most);
    const fault = FAULTS[between(0, FAULTS.length)] ?? FAULTS[0];
    const target = between(0, targets);
    atMs += afterMs;
    if (atMs + forMs > minutes * 60_000) return steps;
    steps.push({ fault, target, afterMs, forMs });
  }
}

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
