import type { InForce } from '../../../src/settings/settings-cache';
import { SettingsUnreadableError } from '../../../src/settings/settings-errors';
import { InstanceFollower } from '../../../src/worker/instance-follower';
import { settingsTo } from '../../support/fakes/settings';
import { deferred, Happenings } from '../../support/signals/signals';

const SETTINGS = settingsTo('https://a.test/');

class World {
  names: () => Promise<readonly string[]> = async () => ['a', 'b', 'c'];
  readonly inForce = new Map<string, InForce>();
  readonly applied = new Happenings<string>();
  readonly errors = new Happenings<string>();
  apply: (instance: string) => Promise<boolean> = async () => true;
  readonly follower: InstanceFollower;

  constructor(fromStart: readonly string[] = []) {
    const of = (instance: string): InForce =>
      this.inForce.has(instance) ? this.inForce.get(instance) : SETTINGS;
    this.follower = new InstanceFollower(
      {
        settings: { of },
        names: () => this.names(),
        apply: async (instance) => {
          const isConsumed = await this.apply(instance);
          this.applied.add(instance);
          return isConsumed;
        },
        onError: (error, instance) => this.errors.add(`${instance}: ${(error as Error).message}`),
      },
      fromStart,
    );
  }
}

describe('following instances, each apart from the others (findings 2.1, 9.8)', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.follower.close());

  it('one whose settings cannot be read stays as it is, and those after it are followed', async () => {
    world.inForce.set('a', new SettingsUnreadableError('a', new Error('odd')));
    world.follower.change(undefined);
    expect([...(await world.applied.count(2))].sort()).toEqual(['b', 'c']);
    world.inForce.set('a', SETTINGS);
    world.follower.change('a');
    expect(await world.applied.count(3)).toContain('a');
    expect(world.errors.all).toEqual([]);
  });

  it('one that the broker refuses is told by name and tried again, and the others are followed', async () => {
    let refusals = 2;
    world.apply = async (instance) => {
      if (instance === 'a' && refusals-- > 0) throw new Error('ACCESS_REFUSED');
      return true;
    };
    world.follower.change(undefined);
    expect([...(await world.applied.count(3))].sort()).toEqual(['a', 'b', 'c']);
    expect(world.errors.all).toEqual(['a: ACCESS_REFUSED', 'a: ACCESS_REFUSED']);
  });

  it('names that cannot be read are asked for again', async () => {
    let isAway = true;
    world.names = async () => {
      if (!isAway) return ['a'];
      isAway = false;
      throw new Error('away');
    };
    world.follower.change(undefined);
    expect(await world.applied.count(1)).toEqual(['a']);
    expect(world.errors.all).toEqual(['undefined: away']);
  });

  it('one that hangs keeps no other waiting', async () => {
    const hanging = deferred<boolean>();
    world.apply = (instance) => (instance === 'a' ? hanging.promise : Promise.resolve(true));
    world.follower.change(undefined);
    expect([...(await world.applied.count(2))].sort()).toEqual(['b', 'c']);
    hanging.resolve(true);
    expect(await world.applied.count(3)).toContain('a');
  });

  it('what changes while something fails is not kept waiting for it', async () => {
    world.names = async () => [];
    world.apply = (instance) => (instance === 'a' ? Promise.reject(new Error('no')) : Promise.resolve(true));
    world.follower.change('a');
    await world.errors.count(1);
    world.follower.change('b');
    expect(await world.applied.count(1)).toEqual(['b']);
  });

  it('instances of the file are asked for, too, as Redis may say otherwise', async () => {
    world = new World(['of-the-file']);
    world.names = async () => [];
    world.follower.change(undefined);
    expect(await world.applied.count(1)).toEqual(['of-the-file']);
  });

  it('nothing is followed once it is closed', async () => {
    world.follower.close();
    world.follower.change('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.applied.all).toEqual([]);
  });
});
