import type { Config } from '../../../src/config/config';
import { type Fields, SILENT } from '../../../src/observability/logging';
import type { SourceMessage } from '../../../src/pipeline/message';
import { Section, type Settings } from '../../../src/settings/section';
import { switchFields } from '../../../src/settings/section-fields';
import type { SourceContext, SourceModule } from '../../../src/sources/source-module';
import { Sources } from '../../../src/worker/intake';
import { Happenings } from '../../support/signals/signals';

const MAX_BYTES = 1000;
const CONFIG = { delivery: { maxBytesInFlight: MAX_BYTES } } as Config;
const SETTINGS: Settings = {};

/** A kind of source that writes down what is asked of it. */
class FakeKind {
  readonly calls: string[] = [];
  readonly followed = new Happenings<string>();
  context: SourceContext | undefined;
  isEnabled = true;
  follow: (instance: string) => boolean = () => true;
  readonly module: SourceModule;

  constructor(readonly kind: string) {
    this.module = {
      kind,
      section: new Section({ name: kind, fields: switchFields, index: kind }),
      switchedOnBy: kind,
      mostHeld: () => 100,
      isEnabled: () => this.isEnabled,
      inspect: async () => [],
      open: (context) => {
        this.context = context;
        const call = (name: string) => async () => void this.calls.push(name);
        return {
          source: {
            name: kind,
            start: async (onMessage) => {
              this.calls.push('start');
              onMessage({} as SourceMessage);
            },
            stopIntake: call('stopIntake'),
            close: call('close of the source'),
            state: { ready: true, detail: 'well' },
            held: { messages: 1, bytes: 10 },
          },
          ownName: `the ${kind}`,
          follow: (instance) => {
            this.followed.add(instance);
            return this.follow(instance);
          },
          depths: async () => [{ queue: kind, messages: 5 }],
          close: call('close'),
        };
      },
    };
  }
}

const made: Sources[] = [];
afterEach(async () => {
  for (const sources of made.splice(0)) {
    await sources.stopIntake();
    await sources.close();
  }
});

/** Sources of two kinds, and of one that is switched off. */
function setup() {
  const [a, b, off] = ['a', 'b', 'off'].map((kind) => new FakeKind(kind)) as [FakeKind, FakeKind, FakeKind];
  off.isEnabled = false;
  const warned = new Happenings<[string, Fields | undefined]>();
  const sources = new Sources({
    notes: () => ({ all: async () => new Map(), set: async () => {}, remove: async () => {} }),
    modules: [a, b, off].map(({ module }) => module),
    config: CONFIG,
    file: new Map([['of-the-file', SETTINGS]]),
    settings: { of: () => SETTINGS },
    store: { namesWith: async ({ definition: { name } }) => [`${name}-of-redis`] },
    log: { ...SILENT, warn: (line, fields) => warned.add([line, fields]) },
  });
  made.push(sources);
  return { a, b, off, warned, sources };
}

describe('the sources of a worker', () => {
  test('are those that are switched on, each with its share of the bytes', () => {
    const { a, b, off } = setup();
    expect([a, b, off].map(({ context }) => context?.maxBytes)).toEqual([
      MAX_BYTES / 2,
      MAX_BYTES / 2,
      undefined,
    ]);
  });

  test('follow instances of the file from the start, and those that Redis names by their section', async () => {
    const { a, b, sources } = setup();
    expect([a.followed.all, b.followed.all]).toEqual([['of-the-file'], ['of-the-file']]);
    sources.changed(undefined);
    expect(await a.followed.count(3)).toContain('a-of-redis');
    expect(await b.followed.count(3)).toContain('b-of-redis');
  });

  test('are one: started, read and ended together', async () => {
    const { sources } = setup();
    const handed: string[] = [];
    await sources.start((source) => void handed.push(source));
    expect(handed).toEqual(['a', 'b']);
    expect(sources.held).toEqual({ messages: 2, bytes: 20 });
    expect(sources.states.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await sources.depths()).toEqual([
      { queue: 'a', messages: 5 },
      { queue: 'b', messages: 5 },
    ]);
  });

  test('say by name what of an instance cannot be consumed', async () => {
    const { a, warned, sources } = setup();
    a.follow = () => {
      throw new Error('refused');
    };
    sources.changed('sick');
    const [[line, fields] = ['', {}]] = await warned.count(1);
    expect([line, fields?.['instance']]).toEqual(['the a of an instance cannot be consumed', 'sick']);
  });

  test('are closed by what their module opened, after their intake', async () => {
    const { a, off, sources } = setup();
    await sources.start(() => {});
    await sources.stopIntake();
    await sources.close();
    expect(a.calls).toEqual(['start', 'stopIntake', 'close']);
    expect(off.calls).toEqual([]);
  });
});
