import './stand-ins';
import { MUTATIONS } from './mutations';
import { runModel } from './run';

/** Each of them is found within a few hundred with this seed. */
const RUNS = Number(process.env['MODEL_MUTATION_RUNS'] ?? 3000);
const SEED = Number(process.env['MODEL_MUTATION_SEED'] ?? 12);

describe('the model finds what is wrong when a mend is taken out', () => {
  it.each(MUTATIONS)(
    '$name',
    async ({ takeOut, breaks }) => {
      const putBack = takeOut();
      try {
        await expect(runModel({ runs: RUNS, seed: SEED, shortens: false })).rejects.toThrow(breaks);
      } finally {
        putBack();
      }
    },
    600_000,
  );
});
