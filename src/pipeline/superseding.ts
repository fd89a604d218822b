import { createHash } from 'node:crypto';
import { filterKey } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import { type Delivery, destinationKeyOf } from './delivery';

/** What makes a delivery needless once a newer one says the same. */
export interface Supersedable {
  /** The same for all that say something about the same. */
  readonly key: string;
  /** When it was emitted, by the core API's clock. */
  readonly at: number;
  /** A newer one that was emitted later than this after it does not replace it. */
  readonly withinMs: number;
}

/** Larger ones are rare, and are looked into with every event. */
const MAX_DATA_BYTES = 65_536;
const MAX_ITEMS = 100;
/** As the core API writes it, with milliseconds: what has none says too little about which one is newer. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}/;

/**
 * Undefined where nothing replaces it: nobody asked for that, it keeps its place in a lane, or it does not show what it is about,
 * or when it was emitted.
 */
export function supersedableOf({ id, envelope, destination, lane }: Delivery): Supersedable | undefined {
  const coalesce = destination.limits?.coalesce;
  if (coalesce === undefined || lane !== undefined) return undefined;
  const event = filterKey(envelope.event);
  if (!coalesce.events.has(event)) return undefined;
  const [dateTime] = DATE_TIME.exec(envelope.dateTime ?? '') ?? [];
  const at = Date.parse(`${dateTime}Z`);
  const subject = Number.isNaN(at) ? undefined : subjectOf(event, envelope);
  if (subject === undefined) return undefined;
  const about = JSON.stringify([envelope.instance, event, subject]);
  const hash = createHash('sha256').update(about).digest('base64url').slice(0, 22);
  return { key: hash + destinationKeyOf(id), at, withinMs: coalesce.withinMs };
}

/** Whether `newer` takes the place of `older`, which waits: never where it cannot be told which one is newer. */
export function supersedes(newer: Supersedable, older: Supersedable): boolean {
  const laterMs = newer.at - older.at;
  return newer.key === older.key && laterMs > 0 && laterMs <= newer.withinMs;
}

/**
 * What an event is about: the chats or contacts that it names, with the names of the fields that it gives for each, as what
 * it does not give an older one may have given. A presence is about those whose presence it is.
 */
function subjectOf(event: string, { body, members }: Envelope): readonly unknown[] | undefined {
  const span = members.get('data');
  if (span === undefined || span.end - span.start > MAX_DATA_BYTES) return undefined;
  const data = parsed(body.toString('utf8', span.start, span.end));
  const items = Array.isArray(data) ? data : [data];
  if (items.length === 0 || items.length > MAX_ITEMS) return undefined;
  const subjects = items.map((item) => JSON.stringify(subjectOfItem(event, item)));
  return subjects.includes('null') ? undefined : [...new Set(subjects)].sort();
}

function subjectOfItem(event: string, item: unknown): readonly unknown[] | null {
  if (typeof item !== 'object' || item === null) return null;
  const fields = item as Readonly<Record<string, unknown>>;
  const chat = fields['remoteJid'] ?? fields['id'];
  if (typeof chat !== 'string' || chat === '') return null;
  const { presences } = fields;
  if (event !== 'PRESENCE_UPDATE') return [chat, Object.keys(fields).sort()];
  return typeof presences === 'object' && presences !== null ? [chat, Object.keys(presences).sort()] : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
