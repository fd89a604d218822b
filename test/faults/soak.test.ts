import { FAULTS, planOf } from '../soak/plan';
import { isWell, linesOf } from '../soak/result';
import { soak } from '../soak/soak';

jest.setTimeout(600_000);

test('faults of all kinds at random: nothing is lost, the audit balances, nothing grows (npm run soak for longer)', async () => {
  const result = await soak({ minutes: 0.5, seed: 20_261_126, rate: 60, log: () => {} });
  const lines = linesOf(result).join('\n');
  process.stdout.write(`${lines}\n`);
  expect(isWell(result) ? '' : lines).toBe('');
});

test('the same seed makes the same faults, and every kind comes up', () => {
  expect(planOf(7, 5, 60)).toEqual(planOf(7, 5, 60));
  expect(planOf(7, 5, 60)).not.toEqual(planOf(8, 5, 60));
  expect(new Set(planOf(7, 30, 60).map(({ fault }) => fault))).toEqual(new Set(FAULTS));
});
