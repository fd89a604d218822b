import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreUnavailableError } from '../../../src/errors';
import type { Doubt } from '../../../src/redis/doubt';
import { DONE_BEFORE } from '../../../src/redis/once';
import { OnceWriter, type PreparedCall } from '../../../src/redis/once-writer';
import type { RelayRedis } from '../../../src/redis/relay-redis';
import { refusal } from '../../support/values/refusal';

const LOST = new StoreUnavailableError('the connection to Redis ended before it answered');
const REFUSED = refusal("OOM command not allowed when used memory > 'maxmemory'.");

/** A Redis that answers as it is asked to: by call number, one answer for each time that it is sent; then as one that works. */
class ScriptedRedis {
  readonly answers = new Map<number, unknown[]>();
  readonly forgotten: number[] = [];
  readonly status = 'ready';
  readonly stream = {};
  /** Rounds for which it is in doubt. */
  doubted = 0;
  readonly doubt: Pick<Doubt, 'isRaised' | 'over'>;
  private readonly done = new Set<number>();

  constructor() {
    const isRaised = (): boolean => this.doubted > 0;
    this.doubt = {
      get isRaised() {
        return isRaised();
      },
      over: async () => {
        this.doubted--;
        await nextTurn();
      },
    };
  }

  definitionOf(): object {
    return { lua: '', numberOfKeys: 1 };
  }

  has(): boolean {
    return true;
  }

  async 'once:count'(args: readonly unknown[]): Promise<unknown> {
    const number = Number(args.at(-1));
    const answer = this.answers.get(number)?.shift();
    if (answer === REFUSED) throw REFUSED;
    const isDone = this.done.has(number);
    this.done.add(number);
    if (answer === LOST) throw LOST;
    return isDone ? DONE_BEFORE : 1;
  }

  async hdel(_key: string, ...numbers: readonly string[]): Promise<number> {
    this.forgotten.push(...numbers.map(Number));
    return numbers.length;
  }

  async expire(): Promise<number> {
    return 1;
  }
}

let redis: ScriptedRedis;
let writer: OnceWriter;

beforeEach(() => {
  redis = new ScriptedRedis();
  writer = new OnceWriter({ redis: redis as unknown as RelayRedis, sentPrefix: 'sent', replicas: 0 });
});

const call = (...answers: readonly unknown[]): PreparedCall => {
  const number = writer.nextNumber();
  redis.answers.set(number, [...answers]);
  return { script: 'count', args: ['key'], number, wasSent: false };
};

describe('a call that is sent again as the server was in doubt', () => {
  test('keeps its number where an answer was lost, as what was sent first may come late', async () => {
    const [answered, lost] = [call(), call(LOST)];
    redis.doubted = 1;
    const results = await writer.write([answered, lost]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true]);
    await writer.write([call()]);
    await writer.write([call()]);
    expect(redis.forgotten).not.toContain(lost.number);
  });

  test('may be stored where its answer was lost first and it was refused then', async () => {
    const [answered, lost] = [call(), call(LOST, REFUSED)];
    redis.doubted = 1;
    const [, result] = await writer.write([answered, lost]);
    expect(result).toMatchObject({ ok: false });
    expect(lost.wasSent).toBe(true);
  });
});

test('a server that is in doubt again and again: what a call did is what the last one said that it made it', async () => {
  const [answered, refusedFirst] = [call(), call(REFUSED)];
  redis.doubted = 2;
  const results = await writer.write([answered, refusedFirst]);
  expect(results).toEqual([
    { ok: true, reply: 1 },
    { ok: true, reply: 1 },
  ]);
});

test('a call that was only refused is not stored, and its number is given up once it is confirmed', async () => {
  const refused = call(REFUSED);
  await writer.write([refused]);
  expect(refused.wasSent).toBe(false);
  await writer.write([refused]);
  await writer.write([call()]);
  expect(redis.forgotten).toEqual([refused.number]);
});

test('calls of which one is unknown are not sent at all', async () => {
  const sent: number[] = [];
  jest.spyOn(redis, 'once:count').mockImplementation(async (args) => sent.push(Number(args.at(-1))));
  const definitionOf = jest.spyOn(redis, 'definitionOf');
  definitionOf.mockReturnValueOnce({ lua: '' }).mockImplementationOnce(() => {
    throw new RangeError('the script wrong is not defined on this connection');
  });
  await expect(writer.write([call(), call()])).rejects.toThrow(RangeError);
  expect(sent).toEqual([]);
});
