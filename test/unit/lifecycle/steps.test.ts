import { runSteps, type Step } from '../../../src/lifecycle/steps';
import { type Fields, type Logger, SILENT } from '../../../src/observability/logging';
import { deferred } from '../../support/signals/signals';

const DEADLINE_MS = 10_000;

class World {
  readonly ran: string[] = [];
  readonly lines: [level: string, line: string, fields: Fields | undefined][] = [];
  private readonly log: Logger = {
    ...SILENT,
    debug: (line, fields) => this.lines.push(['debug', line, fields]),
    warn: (line, fields) => this.lines.push(['warn', line, fields]),
  };

  step(name: string, share = 1, run: () => unknown = () => {}): Step {
    const remember = (): unknown => {
      this.ran.push(name);
      return run();
    };
    return { name, share, run: remember };
  }

  async run(...steps: Step[]): Promise<string[]> {
    const notDone = await runSteps({ what: 'drain', steps, deadlineMs: DEADLINE_MS, log: this.log });
    return [...notDone].map(([name, how]) => `${name} ${how}`);
  }
}

const hangs = (): Promise<void> => deferred().promise;

describe('the steps of an end', () => {
  let world: World;
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    world = new World();
  });
  afterEach(() => jest.useRealTimers());

  test('run in their order, each once the one before it is done, and are logged by name', async () => {
    const first = deferred();
    const run = world.run(
      world.step('first', 1, () => first.promise),
      world.step('second'),
    );
    await jest.advanceTimersByTimeAsync(1000);
    expect(world.ran).toEqual(['first']);
    first.resolve();
    expect(await run).toEqual([]);
    expect(world.ran).toEqual(['first', 'second']);
    expect(world.lines).toEqual([
      ['debug', 'drain: first', { ms: 1000 }],
      ['debug', 'drain: second', { ms: 0 }],
    ]);
  });

  test.each([
    ['throws', () => fail()],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('one that %s is told with its error, and those after it run', async (_how, run) => {
    expect(await world.run(world.step('bad', 1, run), world.step('good'))).toEqual(['bad failed']);
    expect(world.ran).toEqual(['bad', 'good']);
    expect(world.lines[0]).toEqual([
      'warn',
      'drain: bad: failed',
      { ms: 0, code: expect.any(String), error: 'broken' },
    ]);
  });

  test('one that hangs has its share of the deadline, and those after it run', async () => {
    const run = world.run(world.step('hangs', 3, hangs), world.step('good', 7));
    await jest.advanceTimersByTimeAsync(2999);
    expect(world.ran).toEqual(['hangs']);
    await jest.advanceTimersByTimeAsync(1);
    expect(await run).toEqual(['hangs late']);
    expect(world.ran).toEqual(['hangs', 'good']);
  });

  test('what a step leaves over belongs to those after it', async () => {
    const run = world.run(world.step('quick', 5), world.step('hangs', 3, hangs), world.step('last', 2));
    await jest.advanceTimersByTimeAsync(7999);
    expect(world.ran).toEqual(['quick', 'hangs']);
    await jest.advanceTimersByTimeAsync(1);
    expect(await run).toEqual(['hangs late']);
  });

  test('where all of them hang every one is begun, and the end comes with the deadline', async () => {
    const run = world.run(...['a', 'b', 'c', 'd'].map((name) => world.step(name, 1, hangs)));
    await jest.advanceTimersByTimeAsync(DEADLINE_MS - 1);
    expect(world.ran).toEqual(['a', 'b', 'c', 'd']);
    let isOver = false;
    void run.then(() => {
      isOver = true;
    });
    await jest.advanceTimersByTimeAsync(0);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await run).toEqual(['a late', 'b late', 'c late', 'd late']);
  });

  test('one without a share is done where it ends by itself', async () => {
    const run = world.run(
      world.step('hangs', 1, hangs),
      world.step('at once', 0, () => Promise.resolve()),
      world.step('hangs too', 0, hangs),
    );
    await jest.advanceTimersByTimeAsync(DEADLINE_MS);
    await jest.advanceTimersByTimeAsync(1);
    expect(await run).toEqual(['hangs late', 'hangs too late']);
  });

  test('one that fails after it was left behind is no unhandled rejection', async () => {
    const late = deferred();
    const run = world.run(
      world.step('late', 1, () => late.promise),
      world.step('last', 1),
    );
    await jest.advanceTimersByTimeAsync(DEADLINE_MS);
    expect(await run).toEqual(['late late']);
    late.reject(new Error('too late'));
    await jest.advanceTimersByTimeAsync(1);
  });
});

function fail(): never {
  throw new Error('broken');
}
