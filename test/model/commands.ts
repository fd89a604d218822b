import fc, { type AsyncCommand } from 'fast-check';
import type { BrokerMode } from './broker';
import { checkStep } from './oracles';
import { ANSWERS, type Answer, CHAT_ANSWERS, type Chat } from './receivers';
import type { RedisMode } from './redis';
import type { SettingsEditor } from './settings';
import { INSTANCES, type Instance, type World } from './world';

/** What fast-check keeps of a run beside the real one: the oracles look at the world itself. */
export type Expectations = Readonly<Record<string, never>>;

/** One thing that happens, in words that say how to do it again. */
class Command implements AsyncCommand<Expectations, World> {
  constructor(
    private readonly words: string,
    private readonly happen: (world: World) => void | Promise<void>,
  ) {}

  check(): boolean {
    return true;
  }

  async run(_: Expectations, world: World): Promise<void> {
    await this.happen(world);
    // What follows from it at once.
    await world.pass(0);
    checkStep(world);
  }

  toString(): string {
    return this.words;
  }
}

const command = (words: string, happen: (world: World) => void | Promise<void>): Command =>
  new Command(words, happen);

const publish = fc
  .tuple(
    fc.constantFrom<Instance>(...INSTANCES),
    fc.constantFrom('messages.upsert' as const, 'presence.update' as const),
    fc.integer({ min: 1, max: 5 }),
  )
  .map(([instance, event, times]) =>
    command(`publish(${instance}, ${event}, ${times})`, (world) => {
      for (let time = 0; time < times; time++) world.publish(instance, event);
    }),
  );

const answer = fc
  .tuple(
    fc.constantFrom('sick', 'global'),
    fc.constantFrom<Answer>(...ANSWERS),
    fc.constantFrom(0, 0, 1, 2, 4),
  )
  .map(([who, how, times]) =>
    command(`answer(${who}, ${how}, ${times === 0 ? 'from now on' : times})`, (world) => {
      const receiver = world.receiverOf(who === 'global' ? world.global : world.ownId('sick'));
      if (times === 0) receiver.usual = how;
      else receiver.next.push(...Array<Answer>(times).fill(how));
    }),
  );

/** Time between them, in which what becomes of the first ones is known of the lane, and then in which it is tried again. */
const APART_MS = [0, 20, 600] as const;

const publishInOrder = fc
  .tuple(
    fc.constantFrom<Chat>('sore', 'sore', 'fine'),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom(...APART_MS),
  )
  .map(([chat, times, apartMs]) =>
    command(`publish(orderly, ${chat}, ${times}, ${apartMs} ms apart)`, async (world) => {
      for (let time = 0; time < times; time++) {
        if (time > 0) await world.pass(apartMs);
        world.publish('orderly', 'presence.update', chat);
      }
    }),
  );

const answerInOrder = fc
  .tuple(
    fc.constantFrom<'all' | Chat>('sore', 'sore', 'all'),
    fc.constantFrom<Answer>(...CHAT_ANSWERS),
    fc.constantFrom(0, 1, 2, 4),
  )
  .map(([who, how, times]) =>
    command(`answer(orderly, ${who}, ${how}, ${times === 0 ? 'from now on' : times})`, (world) => {
      const receiver = world.receiverOf(world.ownId('orderly'));
      const answers = who === 'all' ? receiver : receiver.sore;
      if (times === 0) answers.usual = how;
      else answers.next.push(...Array<Answer>(times).fill(how));
    }),
  );

const health = fc
  .tuple(fc.constantFrom('sick', 'orderly', 'global'), fc.constantFrom('suspend', 'resume', 'resume'))
  .map(([who, what]) =>
    command(`${what}(${who})`, (world) => {
      const id = who === 'global' ? world.global : world.ownId(who === 'sick' ? 'sick' : 'orderly');
      if (what === 'suspend') world.suspend(id);
      else world.resume(id);
    }),
  );

const pass = fc
  .constantFrom(1, 3, 50, 250, 800, 2500, 6000, 20_000)
  .map((ms) => command(`pass(${ms})`, (world) => world.pass(ms)));

const redis = fc
  .constantFrom<RedisMode>('up', 'slow', 'full', 'away', 'silent', 'silent-with-effect')
  .map((mode) => command(`redis(${mode})`, (world) => world.redisBecomes(mode)));

const flush = fc.constant(command('redis flushed', (world) => world.flush()));

const broker = fc.constantFrom<BrokerMode>('up', 'down', 'silent').map((mode) =>
  command(`broker(${mode})`, (world) => {
    world.disturb();
    world.broker.become(mode);
  }),
);

const lost = fc.constantFrom(
  command('channel lost', (world) => {
    world.disturb();
    world.broker.breakChannels();
  }),
  command('channel of the ordered queue lost', (world) => {
    world.disturb();
    world.broker.passOn();
  }),
  command('acknowledgement lost', (world) => {
    world.disturb();
    world.broker.acknowledgementsToLose++;
  }),
  command('subscription lost', (world) => {
    world.disturb();
    world.settings.breakSubscribers();
  }),
);

const lives = fc.constantFrom(
  command('crash', (world) => world.crash('main')),
  command('another worker', (world) => world.addWorker()),
  command('crash of the other worker', (world) => world.crash('second')),
  command('freeze', (world) => world.freeze()),
  command('thaw', (world) => world.thaw()),
);

const drain = fc.constantFrom(
  command('SIGTERM', (world) => world.drain('main')),
  command('SIGTERM', (world) => world.drain('main')),
  command('SIGTERM to the other worker', (world) => world.drain('second')),
);

const clock = fc.constantFrom(-7_200_000, -7_200_000, 7_200_000).map((ms) =>
  command(`wall clock jumps by ${ms}`, (world) => {
    for (const { process } of world.livingWorkers) process.skewMs += ms;
  }),
);

const settings = fc
  .tuple(
    fc.constantFrom<Instance>('sick', 'late'),
    fc.constantFrom<SettingsEditor>('one', 'two', 'unreadable'),
  )
  .map(([instance, kind]) =>
    command(`settings(${instance}, ${kind})`, (world) => world.change(instance, kind)),
  );

const replay = fc.constant(command('replay', (world) => world.replay()));

/** Those that make something happen come more often than faults: else nothing is there to be lost. */
const ALL = [
  publish,
  publish,
  publish,
  pass,
  pass,
  pass,
  answer,
  answer,
  publishInOrder,
  publishInOrder,
  publishInOrder,
  answerInOrder,
  answerInOrder,
  health,
  redis,
  redis,
  flush,
  broker,
  lost,
  lives,
  drain,
  drain,
  clock,
  clock,
  settings,
  replay,
];

const MAX_COMMANDS = 25;

/** @param replayPath as a failed run printed it */
export function commandsArbitrary(
  replayPath: string | undefined,
): ReturnType<typeof fc.commands<Expectations, World, false>> {
  const path = replayPath === undefined ? {} : { replayPath };
  return fc.commands(ALL, { maxCommands: MAX_COMMANDS, size: 'max', ...path });
}
