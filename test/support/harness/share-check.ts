import type { Redis } from 'ioredis';
import type { StoreHarness } from './store-harness';

type Numbers = Readonly<Record<string, number>>;

export interface CountedShares {
  readonly counted: Readonly<Record<string, Numbers>>;
  /** The same, added up from the records that lie there. */
  readonly found: Readonly<Record<string, Numbers>>;
}

const NAMES = ['parked-count', 'parked-bytes', 'dead-count', 'dead-bytes'];

/** What the shares say, and what they should say. */
export function sharesOf(harness: StoreHarness): Promise<CountedShares> {
  return harness.withRedis(async (redis) => {
    const prefix = `{${harness.prefix}}:`;
    const counted: Record<string, Numbers> = {};
    for (const name of NAMES)
      counted[name] = numbersOf(await redis.zrange(`${prefix}share:${name}`, '0', '-1', 'WITHSCORES'));
    const found: Record<string, Record<string, number>> = Object.fromEntries(NAMES.map((name) => [name, {}]));
    const queue = `${prefix}retry:`;
    const names = `${prefix}destinations`;
    const [waiting, active, delayed, failed] = await Promise.all([
      redis.lrange(`${queue}wait`, 0, -1),
      redis.lrange(`${queue}active`, 0, -1),
      redis.zrange(`${queue}delayed`, '0', '-1'),
      redis.zrange(`${queue}failed`, '0', '-1'),
    ]);
    for (const id of [...waiting, ...active, ...delayed])
      await add(redis, `${queue}${id}`, names, 'parked', found);
    for (const id of failed) await add(redis, `${queue}${id}`, names, 'dead', found);
    return { counted, found };
  });
}

/** The audit's equation and the shares are exact. */
export async function expectExact(harness: StoreHarness): Promise<void> {
  for (const { difference } of await harness.audit()) expect(difference).toBe(0);
  const { counted, found } = await sharesOf(harness);
  expect(counted).toEqual(found);
}

function numbersOf(flat: readonly string[]): Numbers {
  return Object.fromEntries(
    flat.flatMap((owner, index) => (index % 2 === 0 ? [[owner, Number(flat[index + 1])]] : [])),
  );
}

async function add(
  redis: Redis,
  job: string,
  names: string,
  what: 'parked' | 'dead',
  into: Record<string, Record<string, number>>,
): Promise<void> {
  const [, size, deadBy = ''] = /^(\d+) (.*)$/.exec((await redis.hget(job, 'charge')) ?? '') ?? [];
  const destination = await redis.hget(names, job.slice(-8));
  const owner = what === 'parked' && deadBy.startsWith('global/') ? (destination ?? '') : deadBy;
  const charged = (name: string, by: number): void => {
    const numbers = into[name] ?? {};
    numbers[owner] = (numbers[owner] ?? 0) + by;
    into[name] = numbers;
  };
  charged(`${what}-count`, 1);
  charged(`${what}-bytes`, Number(size));
}
