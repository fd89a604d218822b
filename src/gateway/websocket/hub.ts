import type { Server } from 'node:http';
import type { Cluster, Redis } from 'ioredis';
import type { GatewayConfig } from '../../config/gateway-config';
import type { WebSocketConfig } from '../../destinations/websocket/websocket-config';
import { type HttpError, notFound } from '../../http-api/http-errors';
import type { Keys } from '../../http-api/keys';
import { clientAddressOf } from '../../network/client-address';
import { descriptorLimit, gatewayLimits } from '../../network/descriptors';
import type { SharedBudget } from '../../network/shared-budget';
import type { Subscriptions } from '../../redis/subscriber';
import { Admission } from './admission';
import { Clients, type ClientsObserver } from './clients';
import { Feed } from './feed';
import { HeldBytes } from './held-bytes';
import { PlainSockets, refuse } from './plain';
import { SocketIo } from './socket-io';
import { RedisStreamReader } from './stream-reader';

export interface WebSocketHubParts {
  readonly gateway: GatewayConfig;
  readonly config: WebSocketConfig;
  readonly keys: Keys;
  /** Bytes of bodies whose senders showed no key; shared with the other routes. */
  readonly bodies: SharedBudget;
  /** A connection of its own: it only listens. */
  readonly subscriber: Subscriptions;
  readonly redis: Redis | Cluster;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly observer: ClientsObserver;
  readonly asHttpError: (error: unknown) => HttpError;
  readonly onError: (error: unknown) => void;
}

const SOCKET_IO = '/socket.io/';

/** WebSockets on the gateway's port, plain and socket.io: builds the parts that they share. */
export class WebSocketHub {
  private readonly feed: Feed;
  private readonly clients: Clients;
  private readonly plain: PlainSockets;
  private readonly socketIo: SocketIo;

  constructor(private readonly parts: WebSocketHubParts) {
    const { gateway, config, keys, subscriber, redis, prefix, observer, asHttpError, onError } = parts;
    const { unreadBytes, unreadBytesPerInstance } = config;
    this.feed = new Feed({
      subscriber,
      reader: new RedisStreamReader(redis),
      held: new HeldBytes({ maxBytes: unreadBytes, maxBytesPerStream: unreadBytesPerInstance }),
      prefix,
      onError,
    });
    const originRules = { origins: gateway.cors.origins, publicUrl: gateway.publicUrl };
    const admission = new Admission({ config, originRules, keys, feed: this.feed });
    this.clients = new Clients({ admission, keys, pingMs: config.pingMs, observer, onError });
    const shared = {
      admission,
      clients: this.clients,
      addressOf: clientAddressOf(gateway.trustedProxies),
      asHttpError,
      bufferBytes: config.bufferBytes,
    };
    this.plain = new PlainSockets(shared);
    const { strangers, perAddress } = gatewayLimits(gateway, descriptorLimit());
    this.socketIo = new SocketIo({
      ...shared,
      config: gateway,
      pingMs: config.pingMs,
      sessions: { inAll: strangers, perHolder: perAddress },
      bodies: parts.bodies,
    });
  }

  attach(server: Server): void {
    this.feed.start();
    this.clients.start();
    this.socketIo.attach(server);
    server.on('upgrade', (request, socket, head) => {
      const path = (request.url ?? '/').split('?')[0] ?? '/';
      if (path.startsWith(SOCKET_IO)) return;
      if (path !== '/') return refuse(socket, notFound(`Cannot GET ${path}`));
      this.plain.upgrade(request, socket, head).catch(this.parts.onError);
    });
  }

  /** The settings of an instance changed; undefined: any may have. */
  recheck(instance: string | undefined): Promise<void> {
    return this.clients.recheck(instance);
  }

  /** Says goodbye to everybody; they may come back elsewhere, and resume. */
  close(): void {
    this.clients.close();
    this.socketIo.close();
    this.feed.close();
  }
}
