import fc from 'fast-check';
import type { Logger } from '../../../src/observability/logging';
import { SILENT } from '../../../src/observability/logging';
import { type InForce, SettingsCache } from '../../../src/settings/settings-cache';
import { SettingsUnreadableError } from '../../../src/settings/settings-errors';
import { FakeSettings, settingsTo } from '../../support/fakes/settings';
import { turns } from '../../support/signals/signals';

const A = settingsTo('https://a.test/');
const B = settingsTo('https://b.test/');

interface Opened {
  readonly fake: FakeSettings;
  readonly cache: SettingsCache;
  /** What `onChange` told. */
  readonly told: (string | undefined)[];
  readonly errors: unknown[];
}

const caches: SettingsCache[] = [];

function open(log: Logger = SILENT, file = new Map<string, typeof A>()): Opened {
  const fake = new FakeSettings();
  const told: (string | undefined)[] = [];
  const errors: unknown[] = [];
  const cache = new SettingsCache({
    store: fake.store,
    subscriber: fake.subscriber,
    file,
    onChange: (instance) => told.push(instance),
    onError: (error) => errors.push(error),
    log,
  });
  caches.push(cache);
  cache.start();
  return { fake, cache, told, errors };
}

async function connected(log?: Logger, file?: Map<string, typeof A>): Promise<Opened> {
  const opened = open(log, file);
  opened.fake.recover();
  await turns();
  return opened;
}

const isUnreadable = (settings: InForce): boolean => settings instanceof SettingsUnreadableError;

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] }));
afterEach(() => {
  for (const cache of caches.splice(0)) cache.close();
  jest.useRealTimers();
});

interface Step {
  readonly do: 'change' | 'ask' | 'recover' | 'give';
  readonly to?: typeof A | 'unreadable' | undefined;
}

jest.setTimeout(120_000);

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('change' as const),
    to: fc.constantFrom(A, B, undefined, 'unreadable' as const),
  }),
  fc.record({ do: fc.constantFrom('ask' as const, 'recover' as const, 'give' as const) }),
);

function make({ do: what, to }: Step, fake: FakeSettings, cache: SettingsCache): void {
  if (what === 'change') fake.change('loja', to);
  if (what === 'ask') void cache.of('loja');
  if (what === 'recover') fake.recover();
  if (what === 'give' && fake.open.length > 0) fake.give('');
}

describe('a wrong entry of SETTINGS_FILE', () => {
  it('makes its instance unreadable, whatever Redis says of it, and no other one (row 2)', async () => {
    const fake = new FakeSettings();
    const error = new SettingsUnreadableError('wrong', new Error('no entry'));
    const counts: number[] = [];
    const cache = new SettingsCache({
      store: fake.store,
      subscriber: fake.subscriber,
      file: new Map([['right', A]]),
      fileFaults: [{ entry: 'file[0]', error }],
      onChange: () => {},
      onUnreadable: (count) => counts.push(count),
      onError: () => {},
      log: SILENT,
    });
    caches.push(cache);
    cache.start();
    fake.recover();
    await turns();
    fake.change('wrong', B);
    expect([await cache.of('wrong'), await cache.of('right'), cache.unreadable]).toEqual([error, A, 1]);
    expect(counts.at(-1)).toBe(1);
  });
});

describe('changes', () => {
  it('one that is heard before the names are answered is in force (finding 3.16)', async () => {
    const { fake, cache } = open();
    fake.hold = true;
    fake.recover();
    fake.give('subscribe');
    await turns();
    fake.change('loja', A);
    fake.hold = false;
    // Read before the change.
    fake.give('snapshot');
    await turns();
    expect(await cache.of('loja')).toEqual(A);
  });

  it('names that were asked for before a connection was lost are asked for again (finding 3.16)', async () => {
    const { fake, cache, told } = open();
    fake.hold = true;
    fake.recover();
    fake.give('subscribe');
    await turns();
    fake.isDeaf = true;
    fake.change('loja', A);
    fake.isDeaf = false;
    fake.recover();
    fake.give('snapshot');
    await turns();
    expect(told).toEqual([]);
    fake.hold = false;
    fake.give('subscribe');
    await turns();
    expect(told).toEqual([undefined]);
    expect(await cache.of('loja')).toEqual(A);
  });

  it('settings that were asked for before they changed are asked for again', async () => {
    const { fake, cache } = await connected();
    fake.change('loja', A);
    fake.hold = true;
    const asked = cache.of('loja');
    fake.change('loja', B);
    fake.give('lookUp');
    await turns();
    fake.give('lookUp');
    expect(await asked).toEqual(B);
  });

  it('that change each time while they are read keep nobody waiting, are read anew afterwards, and are told', async () => {
    const warned: unknown[] = [];
    const { fake, cache } = await connected({
      ...SILENT,
      warn: (_message, fields) => void warned.push(fields),
    });
    fake.change('loja', A);
    fake.hold = true;
    let isAnswered = false;
    const asked = Promise.resolve(cache.of('loja')).finally(() => {
      isAnswered = true;
    });
    for (let reads = 0; reads < 10 && !isAnswered; reads++) {
      fake.change('loja', settingsTo(`https://${reads}.test/`));
      fake.give('lookUp');
      await turns();
    }
    expect(isAnswered).toBe(true);
    await asked;
    expect(warned).toEqual([{ instance: 'loja' }]);
    fake.hold = false;
    await turns();
    expect(await cache.of('loja')).toEqual(fake.stored.get('loja'));
  });

  it('those that no message told of are found within thirty seconds (finding 3.16)', async () => {
    const { fake, cache, told } = await connected();
    expect(cache.of('loja')).toBeUndefined();
    fake.isDeaf = true;
    fake.change('loja', A);
    await jest.advanceTimersByTimeAsync(30_000);
    await turns();
    expect(told).toEqual([undefined, 'loja']);
    expect(await cache.of('loja')).toEqual(A);
  });

  it('whatever comes in whatever order, what is in force in the end is what is stored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 25 }), async (steps) => {
        const { fake, cache } = open();
        fake.hold = true;
        fake.recover();
        for (const each of steps) {
          make(each, fake, cache);
          await turns(1);
        }
        fake.giveAll();
        await turns();
        const inForce = await cache.of('loja');
        const stored = fake.stored.get('loja');
        expect(isUnreadable(inForce) ? 'unreadable' : inForce).toEqual(stored);
        cache.close();
      }),
      { numRuns: 200 },
    );
    // Turns of the event loop are what it is made of: a busy machine gives them seldom.
  }, 180_000);
});

describe('settings that cannot be read (finding 2.1)', () => {
  it('are an answer, at once and without being asked for again', async () => {
    const { fake, cache, errors } = await connected();
    fake.change('loja', 'unreadable');
    expect(isUnreadable(await cache.of('loja'))).toBe(true);
    expect(isUnreadable((await Promise.resolve(cache.of('loja'))) as InForce)).toBe(true);
    expect(cache.of('loja')).toBeInstanceOf(SettingsUnreadableError);
    expect([fake.looked, errors, cache.unreadable]).toEqual([['loja'], [], 1]);
  });

  it('take the place of those of the file', async () => {
    const { fake, cache } = await connected(SILENT, new Map([['loja', B]]));
    fake.change('loja', 'unreadable');
    expect(isUnreadable(await cache.of('loja'))).toBe(true);
  });

  it('heal when they are set anew', async () => {
    const { fake, cache, told } = await connected();
    fake.change('loja', 'unreadable');
    await cache.of('loja');
    fake.change('loja', A);
    expect(await cache.of('loja')).toEqual(A);
    expect([cache.unreadable, told.includes('loja')]).toEqual([0, true]);
  });

  it('heal within two minutes when they are mended without a word, and that is told', async () => {
    const { fake, cache, told } = await connected();
    fake.change('loja', 'unreadable');
    await cache.of('loja');
    fake.stored.set('loja', A);
    told.length = 0;
    for (let seconds = 0; seconds < 120; seconds += 20) await jest.advanceTimersByTimeAsync(20_000);
    expect(told).toContain('loja');
    expect(cache.of('loja')).toEqual(A);
    expect(cache.unreadable).toBe(0);
  });

  it('are logged once each until they change, and no more than twenty lines in a minute', async () => {
    const lines: unknown[] = [];
    const log: Logger = { ...SILENT, error: (_message, fields) => lines.push(fields?.['instance']) };
    const { fake, cache } = await connected(log);
    fake.change('loja', 'unreadable');
    await cache.of('loja');
    await jest.advanceTimersByTimeAsync(30_000);
    fake.recover();
    await turns();
    await cache.of('loja');
    expect(lines).toEqual(['loja']);
    for (let index = 0; index < 100; index++) {
      fake.change(`n${index}`, 'unreadable');
      await cache.of(`n${index}`);
    }
    expect(lines).toHaveLength(20);
    expect(cache.unreadable).toBe(101);
  });

  it('found so only when they are used are rejected, and read again later', async () => {
    const { fake, cache, told } = await connected();
    fake.change('loja', A);
    await cache.of('loja');
    expect(cache.reject('loja', new TypeError('odd'))).toMatchObject({ code: 'SETTINGS_UNREADABLE' });
    expect(isUnreadable((await Promise.resolve(cache.of('loja'))) as InForce)).toBe(true);
    told.length = 0;
    for (let seconds = 0; seconds < 120; seconds += 20) await jest.advanceTimersByTimeAsync(20_000);
    expect(told).toContain('loja');
  });
});

describe('while Redis is away', () => {
  it('what is known stays in force, and what is not is waited for', async () => {
    jest.useRealTimers();
    const { fake, cache, errors } = open();
    fake.isAway = true;
    const asked = Promise.resolve(cache.of('loja'));
    await turns();
    expect(errors).toHaveLength(1);
    fake.stored.set('loja', A);
    fake.isAway = false;
    expect(await asked).toEqual(A);
  });

  it('what is waited for is given up when it is closed', async () => {
    jest.useRealTimers();
    const { fake, cache } = open();
    fake.isAway = true;
    const asked = Promise.resolve(cache.of('loja'));
    cache.close();
    await expect(asked).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
