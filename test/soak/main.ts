import { parseArgs } from 'node:util';
import { errorCode, errorText } from '../../src/errors';
import { isWell, linesOf } from './result';
import { soak } from './soak';

const USAGE = 'npm run soak -- --minutes N [--seed S] [--rate R]';

/** Exit 1 where something was lost, or happened that nobody asked for. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      rate: { type: 'string', default: '100' },
    },
  });
  const [minutes, seed, rate] = [Number(values.minutes), Number(values.seed), Number(values.rate)];
  if (!(minutes > 0) || !Number.isInteger(seed) || !(rate >= 1)) {
    process.stderr.write(`--minutes and --rate must be positive numbers, --seed a whole number\n${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  const startedAt = performance.now();
  const log = (line: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${line}\n`);
  };
  log(`seed ${seed}: --seed ${seed} makes the same faults again`);
  const result = await soak({ minutes, seed, rate: Math.floor(rate), log });
  process.stdout.write(`${linesOf(result).join('\n')}\n`);
  process.exitCode = isWell(result) ? 0 : 1;
}

main().catch((error: unknown) => {
  if (errorCode(error)?.startsWith('ERR_PARSE_ARGS') === true) {
    process.stderr.write(`${errorText(error)}\n${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
