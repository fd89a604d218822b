import { eventOf } from '../delivery-log/delivery-log';
import type { LogRecord } from '../delivery-log/log-record';

/** What happened lately to one event at one destination. */
export interface TailedDelivery {
  readonly id: string;
  readonly destination: string;
  readonly what: LogRecord['what'];
  readonly code: string;
}

/** An event, with the last that is known of each of its deliveries. */
export interface TailedEvent {
  /** When the newest of these records was made. */
  readonly at: number;
  readonly event: string;
  readonly instance: string;
  readonly message: string;
  readonly chat: string;
  readonly bytes: number;
  readonly deliveries: readonly TailedDelivery[];
}

/** Of records that come the newest first: this many events, the newest first. */
export function tailedEvents(records: readonly LogRecord[], most: number): TailedEvent[] {
  const events = new Map<
    string,
    { readonly newest: LogRecord; readonly deliveries: Map<string, LogRecord> }
  >();
  for (const record of records) {
    const id = eventOf(record.id);
    const known = events.get(id);
    if (known === undefined) {
      if (events.size < most) events.set(id, { newest: record, deliveries: new Map([[record.id, record]]) });
    } else if (!known.deliveries.has(record.id)) known.deliveries.set(record.id, record);
  }
  return [...events.values()].map(({ newest, deliveries }) => {
    const all = [...deliveries.values()];
    // What was given up on does not name its message.
    const named = all.find(({ message, chat }) => message !== '' || chat !== '') ?? newest;
    const { at, event, instance } = newest;
    return {
      ...{ at, event, instance, message: named.message, chat: named.chat },
      bytes: Math.max(...all.map(({ bytes }) => bytes)),
      deliveries: all.map(({ id, destination, what, code }) => ({ id, destination, what, code })),
    };
  });
}
