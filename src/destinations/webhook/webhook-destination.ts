import { LRUCache } from 'lru-cache';
import type { Pool } from 'undici';
import { type BodyOptions, composeBody } from '../../events/body';
import { urlSuffix } from '../../events/catalogue';
import type { Delivery, Destination, Endpoint, Outcome, RunningAttempt } from '../../pipeline/delivery';
import { maskedUrl } from '../../settings/masked-url';
import { addressFingerprint } from '../address-fingerprint';
import { type DestinationTarget, TargetedDestination } from '../destination-target';
import { toOutcome } from '../http/answer';
import { HttpExchange, type HttpResult } from '../http/exchange';
import { EventHeaders } from './event-headers';
import { StaticHeaders } from './headers';
import { sign, signingKey } from './signing';

/** What is set for one webhook. */
export interface WebhookTarget extends DestinationTarget {
  readonly url: string;
  /** What bodies say under `destination`; the address itself where it is left out. */
  readonly destinationOf?: (event: string) => string;
  /** Append `/messages-upsert` and so on to the path. */
  readonly byEvents: boolean;
  /** Leave media `base64` in `data.message`. */
  readonly base64: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** The id of its instance at the core API, where that is known. */
  readonly instanceId?: string;
  /** Standard Webhooks secrets, the newest first; none: unsigned. */
  readonly signingSecrets: readonly string[];
  readonly timeoutMs: number;
}

/** What is the same for all webhooks. */
export interface WebhookOptions {
  readonly stripApikey: boolean;
  readonly legacyPaths: boolean;
  readonly rejectedStatuses: ReadonlySet<number>;
}

const MEDIA = ['message', 'base64'];
/** Events whose body options are kept: more than there are. */
const MAX_EVENTS = 100;

/** Posts events to one URL (docs/webhooks.md#what-your-webhook-receives). */
export class WebhookDestination extends TargetedDestination<WebhookTarget> implements Destination {
  readonly kind = 'webhook';
  readonly timeoutMs: number;
  /** Of the address. The URL itself is not kept: it is large, and makes its parts anew whenever they are asked for. */
  private readonly pathname: string;
  private readonly search: string;
  private readonly bodyOptions: BodyOptions;
  /** JSON texts of `destination` by event, where each event has another. */
  private readonly destinations = new LRUCache<string, BodyOptions>({ max: MAX_EVENTS });
  private readonly keys: readonly Buffer[];
  private readonly eventHeaders: EventHeaders;
  private readonly headers: StaticHeaders;

  constructor(
    target: WebhookTarget,
    private readonly options: WebhookOptions,
    /** Others may send over it, too; `close` ends it. */
    private readonly client: Pool,
  ) {
    super(target);
    this.timeoutMs = target.timeoutMs;
    const url = new URL(target.url);
    this.pathname = url.pathname;
    this.search = url.search;
    this.headers = new StaticHeaders(target.headers, url);
    const own = Object.keys(target.headers).map((name) => name.toLowerCase());
    this.eventHeaders = new EventHeaders(new Set(own), target.instanceId);
    this.bodyOptions = {
      destination: Buffer.from(JSON.stringify(target.url)),
      stripApikey: options.stripApikey,
      normalise: target.normalise,
      ...(target.base64 ? {} : { omitFromData: MEDIA }),
    };
    this.keys = target.signingSecrets.map(signingKey);
  }

  endpoint(): Endpoint {
    return { shown: maskedUrl(this.target.url), print: webhookFingerprint(this.target.url) };
  }

  start(delivery: Delivery, attempt: number): RunningAttempt {
    const body = composeBody(delivery.envelope, this.optionsFor(delivery.envelope.event));
    const request = {
      path: this.pathFor(delivery.envelope.event),
      headers: this.headersFor(delivery, attempt, body),
      body,
    };
    return new HttpExchange(this.client, request, this.toOutcome);
  }

  close(): Promise<void> {
    return this.client.destroy();
  }

  private optionsFor(event: string): BodyOptions {
    const { destinationOf } = this.target;
    if (destinationOf === undefined) return this.bodyOptions;
    let options = this.destinations.get(event);
    if (options === undefined) {
      options = { ...this.bodyOptions, destination: Buffer.from(JSON.stringify(destinationOf(event))) };
      this.destinations.set(event, options);
    }
    return options;
  }

  private readonly toOutcome = (result: HttpResult): Outcome =>
    toOutcome(result, this.options.rejectedStatuses, Date.now());

  private pathFor(event: string): string {
    const { pathname, search } = this;
    if (!this.target.byEvents) return pathname + search;
    // By way of UTF-8, as half a surrogate pair, which JSON allows, cannot be encoded.
    const suffix = Buffer.from(urlSuffix(event, this.options.legacyPaths)).toString();
    return `${pathname.replace(/\/$/, '')}/${encodeURIComponent(suffix)}${search}`;
  }

  private headersFor(delivery: Delivery, attempt: number, body: Buffer): string[] {
    const now = Date.now();
    const timestamp = Math.floor(now / 1000);
    const headers = [
      ...this.headers.at(now, () => new URL(this.target.url)),
      'webhook-id',
      delivery.id,
      'webhook-timestamp',
      String(timestamp),
      'x-evolution-relay-attempt',
      String(attempt),
    ];
    this.eventHeaders.addTo(headers, delivery.envelope, now);
    if (delivery.laneGap !== undefined) headers.push('webhook-lane-gap', delivery.laneGap);
    if (delivery.traceparent !== undefined) this.eventHeaders.addTrace(headers, delivery.traceparent);
    if (this.keys.length > 0)
      headers.push('webhook-signature', sign(this.keys, delivery.id, timestamp, body));
    return headers;
  }
}

/** Headers and secrets are no part of it: to rotate them is no change of address. */
export function webhookFingerprint(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return addressFingerprint([origin, pathname, search]);
}
