import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config';
import type { ConfigPart } from '../config/part';
import type { Guards } from '../http-api/guards';
import type { Keys } from '../http-api/keys';
import type { Finding } from '../observability/finding';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import type { DestinationId } from '../pipeline/delivery';
import type { RedisClient } from '../redis/scripts';
import type { Subscriptions } from '../redis/subscriber';
import type { Section, Settings } from '../settings/section';
import type { SettingsEditor } from '../settings/settings-editor';
import type { Wants } from './destination-fields';
import { kindOf } from './destination-ids';
import type { DestinationFamily } from './directory';

/** One kind of destination: everything that the rest of the relay knows of it. `src/modules.ts` lists them. */
export interface DestinationModule {
  /** Begins the ids of its destinations, and labels metrics. */
  readonly kind: string;
  /** Events that share one request: limits that are set in requests hold that many times as many. */
  readonly eventsPerRequest: number;
  /** Its variables. */
  readonly config?: ConfigPart;
  /** What instances may set for themselves. */
  readonly section?: Section;
  /** What is configured for the events of all instances; without it there is no such thing. */
  readonly global?: GlobalDestination;
  /** What its global destination receives; undefined where there is none. */
  globalWants?(config: Config): Wants | undefined;
  /** Opens its destinations for one worker. */
  open(context: DestinationContext): DestinationFamily;
  /** What it serves at the gateway. A worker does not need the code: it is loaded here (`import`). */
  routes?(context: RoutesContext): Promise<DestinationRoutes>;
  /** What `doctor` says of it. Changes nothing; no other process needs the code, which is loaded here, too. */
  inspect?(context: InspectionContext): Promise<Finding[]>;
}

export interface GlobalDestination {
  /** How an operator knows it, as in "neither WEBHOOK_GLOBAL_URL nor …". */
  readonly name: string;
  isSet(config: Config): boolean;
}

/** What a module may use of the worker that it is opened for. */
export interface DestinationContext {
  readonly config: Config;
  readonly redis: RedisClient;
  readonly subscriber: Subscriptions;
  /** A connection of its own, for what is large: nothing else waits behind it. The worker closes it. */
  openRedis(): RedisClient;
  readonly log: Logger;
}

/** What a module may use of the gateway that it serves something at. */
export interface RoutesContext {
  readonly config: Config;
  readonly redis: RedisClient;
  readonly metrics: Metrics;
  readonly keys: Keys;
  readonly guards: Guards;
  /** What is set for instances. */
  readonly instances: SettingsEditor;
  /** Settings of all instances, of Redis and of the file; those that cannot be read are left out. */
  allSettings(): AsyncIterable<readonly [instance: string, settings: Settings]>;
  /** Redis is away. */
  onError(error: unknown): void;
}

export interface DestinationRoutes {
  add(server: FastifyInstance): void;
  /** Settings of instances changed. */
  settingsChanged?(): void;
  close(): Promise<void>;
}

export interface InspectionContext {
  readonly config: Config;
  /** Those in force, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
}

/** Events that share one request to this destination, as its module says. */
export function eventsPerRequest(modules: readonly DestinationModule[], id: DestinationId): number {
  const kind = kindOf(id);
  return modules.find((module) => module.kind === kind)?.eventsPerRequest ?? 1;
}
