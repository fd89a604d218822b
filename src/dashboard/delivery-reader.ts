import type { DeliveryLog, LoggedDelivery, SearchResult } from '../delivery-log/delivery-log';
import type { LogFilter } from '../delivery-log/log-filter';
import type { LogRecord } from '../delivery-log/log-record';
import { withoutAnswers } from '../delivery-log/shown-delivery';
import { instanceOf } from '../destinations/destination-ids';
import type { TenantSearches } from '../http-api/tenant-searches';
import { SharedReadings } from './shared-readings';
import { type ShownBody, shownBody } from './shown-body';
import { instanceSeen, type Viewer } from './viewer';

/** A delivery with its body as a page shows it, where it is kept: whole ones are too large to be remembered. */
export interface DeliveryWithBody {
  readonly delivery: LoggedDelivery;
  readonly body: ShownBody | undefined;
}

type Log = Pick<DeliveryLog, 'search' | 'recent' | 'find' | 'body'>;

/** Pages ask every three seconds. */
const LEAST_MS = 2500;

/** The delivery log as a viewer may see it: an instance's token opens that instance's deliveries. */
export class DeliveryReader {
  private readonly searches = new SharedReadings<SearchResult>({ leastMs: LEAST_MS, max: 50 });
  private readonly records = new SharedReadings<readonly LogRecord[]>({ leastMs: LEAST_MS / 2, max: 50 });
  private readonly deliveries = new SharedReadings<DeliveryWithBody | undefined>({
    leastMs: LEAST_MS,
    max: 20,
  });

  constructor(
    private readonly log: Log,
    private readonly turns: Pick<TenantSearches, 'begin'>,
  ) {}

  /** @param question what was asked for: where it is the same, times that lie between do not matter */
  search(viewer: Viewer, filter: LogFilter, { limit, question }: Search): Promise<SearchResult> {
    const own = scoped(viewer, filter);
    // What an instance sees leaves out what the operator's own endpoints answered.
    const asked = { ...question, instance: own.instance, limit, isTenant: viewer.kind === 'instance' };
    return this.searches.of(asked, async () => {
      const found = await this.turns.begin(instanceSeen(viewer), () => this.log.search(own, limit));
      return { ...found, deliveries: found.deliveries.map((each) => visible(viewer, each)) };
    });
  }

  /** The newest records. */
  recent(viewer: Viewer, filter: LogFilter, { limit, question }: Search): Promise<readonly LogRecord[]> {
    const own = scoped(viewer, filter);
    const asked = { ...question, instance: own.instance, limit };
    return this.records.of(asked, () =>
      this.turns.begin(instanceSeen(viewer), () => this.log.recent(own, limit)),
    );
  }

  /** Undefined also for what belongs to somebody else. */
  async find(viewer: Viewer, id: string): Promise<DeliveryWithBody | undefined> {
    const instance = instanceSeen(viewer);
    const found = await this.deliveries.of(id, () => this.turns.begin(instance, () => this.read(id)));
    if (found === undefined || (instance !== undefined && found.delivery.instance !== instance))
      return undefined;
    return { ...found, delivery: visible(viewer, found.delivery) };
  }

  private async read(id: string): Promise<DeliveryWithBody | undefined> {
    const delivery = await this.log.find(id);
    if (delivery === undefined) return undefined;
    const body = await this.log.body(delivery);
    return { delivery, body: body && shownBody(body) };
  }

  /** Without sharing: for what a person does once. */
  async bodyOf(delivery: LoggedDelivery): Promise<Buffer | undefined> {
    return this.log.body(delivery);
  }
}

export interface Search {
  readonly limit: number;
  readonly question: Readonly<Record<string, string>>;
}

function scoped(viewer: Viewer, filter: LogFilter): LogFilter {
  const instance = instanceSeen(viewer);
  return instance === undefined ? filter : { ...filter, instance };
}

/** What the operator's own endpoint answered is none of a tenant's business. */
function visible(viewer: Viewer, delivery: LoggedDelivery): LoggedDelivery {
  const isOwn = instanceOf(delivery.destination) !== undefined;
  return viewer.kind !== 'instance' || isOwn ? delivery : withoutAnswers(delivery);
}
