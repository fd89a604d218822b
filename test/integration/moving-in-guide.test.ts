import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MovingScenario } from '../support/harness/moving-scenario';

jest.setTimeout(180_000);

const GUIDE = readFileSync(join(__dirname, '../../docs/moving-in.md'), 'utf8');
/** The commands of the guide, in their order. */
const COMMANDS = [...GUIDE.matchAll(/^node dist\/main\.js (settings import .*)$/gm)].map(
  ([, text = '']) => text,
);

describe('the guide of moving in', () => {
  let moving: MovingScenario;
  beforeEach(async () => {
    moving = await MovingScenario.start();
  });
  afterEach(() => moving.close());

  test('has the steps that the tests run', () => {
    expect(COMMANDS.map((command) => command.replace(/^.* http:\/\/localhost:8080 ?/, ''))).toEqual([
      '',
      '--apply',
      '--apply --hand-over',
      '--apply --hand-back',
    ]);
  });

  test('over and back in the midst of events: none is lost, and none but those of the two switches comes twice', async () => {
    const [look = '', apply = '', handOver = '', handBack = ''] = COMMANDS;
    const switches: (readonly [from: number, to: number])[] = [];
    const between = async (command: string): Promise<void> => {
      const from = moving.scenario.published.length;
      expect(await moving.run(command)).toContain('4 instances handed');
      switches.push([from, moving.scenario.published.length]);
    };
    moving.begin();
    await moving.more();
    expect(await moving.run(look)).toContain('4 would change');
    await moving.run(apply);
    await moving.more();
    expect(moving.scenario.receiver.duplicates).toBe(0);
    await between(handOver);
    const own = moving.core.posts;
    await moving.more();
    // The core delivers nothing any more.
    expect(moving.core.posts).toBe(own);
    await between(handBack);
    await moving.more();
    expect(moving.core.posts).toBeGreaterThan(own);
    const { lost, doubled } = await moving.result();
    const strays = doubled.filter((number) => !switches.some(([from, to]) => number >= from && number < to));
    process.stdout.write(
      `moving in: ${moving.scenario.published.length} events, lost ${lost.length}, twice ${doubled.length}\n`,
    );
    expect({ lost, strays }).toEqual({ lost: [], strays: [] });
  });

  test('over and back while the core emits nothing: none is lost, none comes twice', async () => {
    const [, apply = '', handOver = '', handBack = ''] = COMMANDS;
    moving.begin();
    await moving.run(apply);
    for (const command of [handOver, handBack]) {
      await moving.more();
      await moving.pause();
      // Nothing is left in the queue.
      await moving.scenario.untilAllAccepted();
      await moving.run(command);
      moving.begin();
    }
    await moving.more();
    expect(await moving.result()).toEqual({ lost: [], doubled: [] });
  });

  test('what is parked at the hand-back is delivered by the relay, although it takes nothing new', async () => {
    const [, apply = '', handOver = '', handBack = ''] = COMMANDS;
    await moving.run(apply);
    await moving.run(handOver);
    moving.scenario.receiver.behaviour = () => ({ status: 503 });
    moving.begin();
    await moving.more();
    await moving.pause();
    await moving.scenario.receiver.until(() => moving.scenario.receiver.arrivals > 10, 30_000, 'attempts');
    await moving.run(handBack);
    moving.scenario.receiver.behaviour = () => ({ status: 200 });
    expect(await moving.result()).toEqual({ lost: [], doubled: [] });
  });
});
