import type { Config } from '../../config/config';
import type { Normalise } from '../../events/normalise';
import { type DestinationId, destinationKey } from '../../pipeline/delivery';
import type { Limits } from '../../pipeline/destination-limits';
import type { Subscription } from '../../pipeline/route';
import type { RedisClient } from '../../redis/scripts';
import type { Settings } from '../../settings/section';
import { type Wants, wantsOf } from '../destination-fields';
import { globalId, instanceId } from '../destination-ids';
import type { DestinationFamily } from '../directory';
import { limitsOf } from '../limits-of';
import { sharesOf } from '../shares-of';
import { type Append, createAppend, streamKeys } from './stream';
import { websocketConfig } from './websocket-config';
import { WebSocketDestination } from './websocket-destination';
import { websocketSection } from './websocket-section';

/** What one stream is for. */
interface Stream {
  readonly id: DestinationId;
  /** Undefined: all of them. */
  readonly instance?: string;
  readonly limits: Limits;
  readonly normalise: Normalise | undefined;
  readonly wants: Wants;
}

/** The WebSocket clients of all instances, and those of single ones. */
export class WebSockets implements DestinationFamily {
  readonly globals: readonly Subscription[];
  private readonly append: Append;

  /** @param redis a connection of its own, as bodies may be large; closed by its owner */
  constructor(
    private readonly config: Config,
    redis: RedisClient,
  ) {
    this.append = createAppend(redis);
    const { enabled, global } = websocketConfig.of(config);
    this.globals =
      enabled && global !== undefined
        ? [
            this.subscription({
              id: globalId('websocket'),
              limits: global.limits,
              normalise: global.normalise,
              wants: global,
            }),
          ]
        : [];
  }

  own(instance: string, settings: Settings): Subscription[] {
    const websocket = websocketSection.of(settings);
    if (!websocketConfig.of(this.config).enabled || websocket?.enabled !== true) return [];
    return [
      this.subscription({
        id: instanceId('websocket', instance),
        instance,
        limits: limitsOf(websocket),
        normalise: websocket.normalise,
        wants: wantsOf(websocket),
      }),
    ];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private subscription({ id, instance, limits, normalise, wants }: Stream): Subscription {
    const { redis, retry, outgoing, delivery } = this.config;
    const destination = new WebSocketDestination(
      {
        id,
        keys: streamKeys(redis.prefix, instance),
        retention: websocketConfig.of(this.config).resume,
        maxAttempts: retry.maxAttempts,
        shares: sharesOf(id, delivery.maxShare),
        limits,
        normalise,
        stripApikey: outgoing.stripApikey,
      },
      this.append,
    );
    return { destination, key: destinationKey(id), events: wants.events, content: wants.content };
  }
}
