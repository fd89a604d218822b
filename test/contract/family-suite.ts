import { globalId, instanceId } from '../../src/destinations/destination-ids';
import type { DestinationFamily } from '../../src/destinations/directory';
import type { DestinationModule } from '../../src/destinations/module';
import type { Modules } from '../../src/modules';
import { SILENT } from '../../src/observability/logging';
import { destinationKey } from '../../src/pipeline/delivery';
import { RelayRedis } from '../../src/redis/relay-redis';
import { parseSettings } from '../../src/settings/document';

/** A configuration and settings by which a kind has a global destination, and one of an instance. */
export interface FamilySample {
  readonly env: Readonly<Record<string, string>>;
  /** As a document of settings, and of the same instance with another place to send to where there is one. */
  readonly settings: object;
  /** The variable of the global one's address, and another address; undefined where all workers have it from Redis. */
  readonly otherAddress?: Readonly<Record<string, string>>;
}

const INSTANCE = 'loja-centro';

/** What the destinations of a module say of themselves, whatever they speak: nothing is sent. */
export function familySuite(modules: Modules, module: DestinationModule, sample: FamilySample): void {
  describe(`the destinations of a module: ${module.kind}`, () => {
    const opened: { readonly family: DestinationFamily; readonly redis: RelayRedis }[] = [];

    function open(env: Readonly<Record<string, string>> = {}): DestinationFamily {
      const { config } = modules.loadConfig(__dirname, { ...sample.env, ...env });
      const redis = new RelayRedis({ lazyConnect: true });
      const subscriber = {
        subscribe: async () => undefined,
        unsubscribe: async () => undefined,
        onMessage: () => {},
        onRecovered: () => {},
        isUp: false,
      };
      const family = module.open({ config, redis, subscriber, openRedis: () => redis, log: SILENT });
      opened.push({ family, redis });
      return family;
    }

    function ownOf(family: DestinationFamily) {
      const parsed = parseSettings(modules.sections, sample.settings);
      if (!parsed.ok) throw new Error(parsed.problems.join('; '));
      const own = family.own(INSTANCE, parsed.settings);
      if (own.length === 0) throw new Error('the sample has no destination of an instance');
      return own;
    }

    afterEach(async () => {
      for (const { family, redis } of opened.splice(0)) {
        await family.close();
        redis.disconnect();
      }
    });

    test('each has an id of its kind, and the key of that id', () => {
      const family = open();
      expect(family.globals.map(({ destination }) => destination.id)).toEqual([globalId(module.kind)]);
      for (const { destination, key } of [...family.globals, ...ownOf(family)])
        expect([destination.kind, key]).toEqual([module.kind, destinationKey(destination.id)]);
      expect(ownOf(family).map(({ destination }) => destination.id)).toContain(
        instanceId(module.kind, INSTANCE),
      );
    });

    test('each shares places with others: without, one of them could take all there are', () => {
      const family = open({ DELIVERY_MAX_SHARE: '0.3' });
      const [global] = family.globals;
      expect(global?.destination.shares).toEqual([{ key: globalId(module.kind), part: 0.3 }]);
      for (const { destination } of ownOf(family))
        expect(destination.shares.slice(0, 2)).toEqual([
          { key: `instance ${INSTANCE}`, part: 0.3 },
          { key: 'instances', part: 0.7, isOfAll: true },
        ]);
    });

    test('a global one tells its address apart from another, without saying it; one of an instance has none', () => {
      const { otherAddress } = sample;
      const addressOf = (env = {}) => open(env).globals[0]?.destination.address;
      for (const { destination } of ownOf(open())) expect(destination.address).toBeUndefined();
      if (otherAddress === undefined) return expect(addressOf()).toBeUndefined();
      expect(addressOf()).toMatch(/^[\w-]{4}$/);
      expect(addressOf()).toBe(addressOf());
      expect(addressOf(otherAddress)).not.toBe(addressOf());
    });
  });
}
