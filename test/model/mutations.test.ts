import './stand-ins';
import { MUTATIONS } from './mutations';
import { runModel } from './run';

/** Each of them is found within a few hundred with its seed. */
const RUNS = Number(process.env['MODEL_MUTATION_RUNS'] ?? 3000);
const { MODEL_MUTATION_SEED } = process.env;
const SEED = 12;

describe('the model finds what is wrong when a mend is taken out', () => {
  it.each(MUTATIONS)(
    '$name',
    async ({ takeOut, breaks, seed = SEED }) => {
      const putBack = takeOut();
      try {
        await expect(
          runModel({ runs: RUNS, seed: Number(MODEL_MUTATION_SEED ?? seed), shortens: false }),
        ).rejects.toThrow(breaks);
      } finally {
        putBack();
      }
    },
    600_000,
  );
});
