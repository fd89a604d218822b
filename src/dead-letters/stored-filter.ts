import { filterKey } from '../events/catalogue';
import { ALL, keyMeant } from '../events/event-names';
import { goEventsOf } from '../events/go-catalogue';

/** Which of the stored deliveries a person asks for. Times are epoch milliseconds, inclusive. */
export interface StoredFilter {
  readonly instance?: string;
  readonly event?: string;
  readonly destination?: string;
  readonly reason?: string;
  readonly since?: number;
  readonly until?: number;
}

/** What is stored about a delivery, as far as filters go by it. */
export interface StoredFields {
  readonly instance: string;
  readonly event: string;
  readonly destination: string;
  readonly reason: string;
  /** A further word for the reason. */
  readonly detail?: string;
  readonly at: number;
}

export function isFound(stored: StoredFields, filter: StoredFilter): boolean {
  return (
    (filter.instance === undefined || stored.instance === filter.instance) &&
    (filter.event === undefined || isMeant(stored.event, filter.event)) &&
    (filter.destination === undefined || stored.destination === filter.destination) &&
    (filter.reason === undefined || [stored.reason, stored.detail].includes(filter.reason)) &&
    (filter.since === undefined || stored.at >= filter.since) &&
    (filter.until === undefined || stored.at <= filter.until)
  );
}

/** Filters take `messages.upsert`, `MESSAGES_UPSERT` and whatever else lists of events take. */
function isMeant(event: string, wanted: string): boolean {
  const key = keyMeant(wanted);
  return key === ALL || filterKey(event) === key || goEventsOf(key).some((type) => type.event === event);
}
