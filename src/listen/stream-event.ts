import { type Envelope, parseEnvelope, withId } from '../events/envelope';
import type { Span } from '../events/json-scanner';
import { type DeliveryId, eventIdOf } from '../pipeline/delivery';

/** What a gateway sends to a client that resumes (docs/websockets.md). */
export type StreamEvent =
  | { readonly kind: 'event'; readonly id: string; readonly envelope: Envelope }
  | { readonly kind: 'ready'; readonly id: string }
  /** Events after the one and up to the other may be lost. */
  | { readonly kind: 'gap'; readonly id: string; readonly after: string; readonly until: string };

/** Before the keys that the gateway adds at the end. */
const ADDED = Buffer.from(',"id":');
const END = Buffer.from('}');

/** @throws MalformedEventError for what is no event */
export function streamEventOf(message: Buffer): StreamEvent {
  const received = parseEnvelope(message, { routingKey: '', instance: '-' });
  const { event, body, members } = received;
  const id = textAt(body, members.get('id'));
  if (event === 'relay.ready') return { kind: 'ready', id };
  if (event === 'relay.gap') {
    const { lastEventId = '', resumedAfter = '' } = dataOf(body, members.get('data'));
    return { kind: 'gap', id, after: String(lastEventId), until: String(resumedAfter) };
  }
  const end = (members.get('id')?.start ?? body.length) - ADDED.length;
  const own = parseEnvelope(Buffer.concat([body.subarray(0, end), END]), {
    routingKey: event,
    instance: received.instance,
  });
  // The event's own id, not one of its body: receivers know it by that, whichever way it comes.
  const eventId = eventIdOf(textAt(body, members.get('delivery_id')) as DeliveryId);
  return { kind: 'event', id, envelope: withId(own, eventId) };
}

function textAt(body: Buffer, span: Span | undefined): string {
  if (span === undefined) return '';
  const value: unknown = JSON.parse(body.toString('utf8', span.start, span.end));
  return typeof value === 'string' ? value : '';
}

function dataOf(body: Buffer, span: Span | undefined): Readonly<Record<string, unknown>> {
  const value: unknown =
    span === undefined ? undefined : JSON.parse(body.toString('utf8', span.start, span.end));
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
