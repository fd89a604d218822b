import type { Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import { Deadline } from '../time/deadline';
import { monotonicMs } from '../time/monotonic';

/** One step of ending something. */
export interface Step<Name extends string = string> {
  readonly name: Name;
  /** Its part of the deadline, in proportion to the others. Time that a step leaves over belongs to those after it. */
  readonly share: number;
  /** May be synchronous, throw, reject, or never end. */
  readonly run: () => unknown;
}

export interface StepsOptions<Name extends string> {
  /** What is being ended, for the log. */
  readonly what: string;
  readonly steps: readonly Step<Name>[];
  readonly deadlineMs: number;
  readonly log: Logger;
}

type StepEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'late' }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Runs every step in its order, whatever became of those before it: one that fails is logged, and one that does not end
 * is left behind once its share of the deadline is over. Resolves to the steps that were not done, and how they ended.
 */
export async function runSteps<Name extends string>({
  what,
  steps,
  deadlineMs,
  log,
}: StepsOptions<Name>): Promise<ReadonlyMap<Name, 'failed' | 'late'>> {
  const deadline = new Deadline(deadlineMs);
  const total = steps.reduce((sum, { share }) => sum + share, 0);
  const notDone = new Map<Name, 'failed' | 'late'>();
  let ahead = total;
  for (const { name, share, run } of steps) {
    ahead -= share;
    const begunAt = monotonicMs();
    const end = await endOf(run, deadline, total === 0 ? 0 : (deadlineMs * ahead) / total);
    if (end.kind !== 'done') notDone.set(name, end.kind);
    logEnd(log, `${what}: ${name}`, end, Math.round(monotonicMs() - begunAt));
  }
  return notDone;
}

async function endOf(run: () => unknown, deadline: Deadline, reserveMs: number): Promise<StepEnd> {
  const end = settled(run);
  return (await deadline.finishesInTime(end, reserveMs)) ? end : { kind: 'late' };
}

/** Never rejects, so that a step which fails after it was left behind is no unhandled rejection. */
async function settled(run: () => unknown): Promise<StepEnd> {
  try {
    await run();
    return { kind: 'done' };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

function logEnd(log: Logger, step: string, end: StepEnd, ms: number): void {
  if (end.kind === 'done') log.debug(step, { ms });
  else if (end.kind === 'late') log.warn(`${step}: not done in time, goes on without it`, { ms });
  else log.warn(`${step}: failed`, { ms, ...describeError(end.error) });
}
