import fc, { type Scheduler } from 'fast-check';
import { commandsArbitrary, type Expectations } from './commands';
import { checkEnd } from './oracles';
import type { Order } from './virtual-time';
import { World } from './world';

export interface RunOptions {
  readonly runs: number;
  readonly seed: number;
  /** Where a failed run printed them. */
  readonly path?: string;
  readonly replayPath?: string;
  /** False: the first run that breaks a promise is reported as it is. */
  readonly shortens?: boolean;
}

/** Makes `runs` runs of random commands; rejects with the shortest run that breaks a promise, and how to make it again. */
export async function runModel(options: RunOptions): Promise<void> {
  const { runs, seed, path, replayPath, shortens = true } = options;
  const property = fc.asyncProperty(
    commandsArbitrary(replayPath),
    fc.scheduler(),
    async (commands, scheduler) => {
      const world = new World();
      world.time.order = orderBy(scheduler);
      try {
        const setup = (): { model: Expectations; real: World } => ({ model: {}, real: world });
        await fc.asyncModelRun(setup, commands);
        await checkEnd(world);
      } finally {
        world.end();
      }
    },
  );
  const details = await fc.check(property, {
    numRuns: runs,
    seed,
    endOnFailure: !shortens,
    ...(path === undefined ? {} : { path }),
  });
  if (!details.failed) return;
  const commands = String(details.counterexample?.[0]);
  const [, replay = ''] = /replayPath="([^"]*)"/.exec(commands) ?? [];
  throw new Error(
    [
      `After ${details.numRuns} runs and ${details.numShrinks} times shortened: ${String(details.errorInstance)}`,
      `The run: ${commands}`,
      `To make it again: MODEL_SEED=${details.seed} MODEL_PATH=${details.counterexamplePath} MODEL_REPLAY='${replay}' npm run model`,
    ].join('\n'),
    { cause: details.errorInstance },
  );
}

function orderBy(scheduler: Scheduler): Order {
  return async (arrivals) => {
    for (const arrive of arrivals) void scheduler.schedule(Promise.resolve()).then(arrive);
    await scheduler.waitNext(arrivals.length);
  };
}

const { MODEL_RUNS = '10000', MODEL_EXPLORE, MODEL_SEED, MODEL_PATH, MODEL_REPLAY } = process.env;

/**
 * Two test files make half of the runs each, as most machines of CI have two processors. A run that is made again is in
 * the first.
 */
export async function runHalf(half: 0 | 1): Promise<void> {
  if (MODEL_SEED === undefined) {
    // `npm test` makes the same runs each time, as a change must not fail for what another one broke; `npm run model` explores.
    const seed = MODEL_EXPLORE === undefined ? half + 1 : Math.floor(Math.random() * 2 ** 31);
    return runModel({ runs: Math.ceil(Number(MODEL_RUNS) / 2), seed });
  }
  if (half === 1) return;
  await runModel({
    runs: Number(MODEL_RUNS),
    seed: Number(MODEL_SEED),
    ...(MODEL_PATH === undefined ? {} : { path: MODEL_PATH }),
    ...(MODEL_REPLAY === undefined ? {} : { replayPath: MODEL_REPLAY }),
  });
}
