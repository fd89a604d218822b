import { findEvent } from '../events/catalogue';
import type { Envelope } from '../events/envelope';

/** What an event says of its instance: its connection, that it is gone, or that it is of a kind that nobody watches. */
export type Said = 'open' | 'closed' | 'gone' | 'unwatched';

const SAID: readonly Said[] = ['open', 'closed', 'gone', 'unwatched'];
const MESSAGES = new Set([
  'messages.upsert',
  'messages.update',
  'messages.edited',
  'messages.delete',
  'send.message',
]);
const GONE = new Set(['instance.delete', 'remove.instance']);
/** Larger ones are no connection's state, and no text message. */
const MAX_BYTES = 65_536;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isSaid(text: string): text is Said {
  return SAID.some((said) => said === text);
}

/** Whether an event of this name is about messages: the family that the rhythm is learned of. */
export function isMessage(event: string): boolean {
  return MESSAGES.has(findEvent(event)?.event ?? event);
}

/** A drop of the network sends no `close`, so nothing else says so (docs/core-api.md). */
export function connectionIn(envelope: Envelope): Said | undefined {
  const event = findEvent(envelope.event)?.event;
  if (event === undefined) return undefined;
  if (GONE.has(event)) return 'gone';
  if (event !== 'connection.update') return undefined;
  const { state } = dataOf(envelope);
  if (state === 'open') return 'open';
  return state === 'close' || state === 'refused' ? 'closed' : undefined;
}

/** Only ids that the core API makes up itself are UUIDs: WhatsApp's and Meta's are not. */
export function isOfEvolutionChannel(envelope: Envelope): boolean {
  const { key } = dataOf(envelope);
  const id = typeof key === 'object' && key !== null && 'id' in key ? key.id : undefined;
  return typeof id === 'string' && UUID.test(id);
}

function dataOf({ body, members }: Envelope): Readonly<Record<string, unknown>> {
  const span = members.get('data');
  if (span === undefined || span.end - span.start > MAX_BYTES) return {};
  const data: unknown = JSON.parse(body.toString('utf8', span.start, span.end));
  return typeof data === 'object' && data !== null ? { ...data } : {};
}
