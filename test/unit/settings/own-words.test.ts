import { z } from 'zod';
import { checkedBy, problemsOf } from '../../../src/settings/own-words';

test('a word that is none of those that a field takes is refused with the one that was meant', () => {
  const schema = z.strictObject({ outcome: z.enum(['delivered', 'dead']) });
  const problems = (outcome: unknown): string[] => {
    const { error } = checkedBy(schema, { outcome });
    return error === undefined ? [] : problemsOf(error, 'query');
  };
  expect(problems('deliverd')).toEqual(['outcome: must be delivered or dead; did you mean delivered?']);
  expect(problems('other words')).toEqual(['outcome: must be delivered or dead']);
  expect(problems(5)).toEqual(['outcome: must be delivered or dead']);
});
