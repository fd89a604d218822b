import type { Envelope } from './envelope';
import { mayHoldBytes, rewriteBytes } from './json-bytes';
import type { Span } from './json-scanner';

/** What a destination asks to be written in another way; all else stays to the byte. */
export interface Normalise {
  /** Byte objects and Longs of 2.3.6 as base64 and decimal text, as before it. */
  readonly bytes?: boolean | undefined;
  /** Phone numbers in place of LIDs. */
  readonly lid?: boolean | undefined;
  /** A link to the gateway in place of base64. */
  readonly media?: 'link' | undefined;
}

/** An event that several destinations want in the same way is rewritten once; a large one each time, as it would be held. */
const MAX_SHARED_BYTES = 1_048_576;
/** Never the envelope itself: what refers to its own key is kept until the next full collection. */
const shared = new WeakMap<Envelope, Envelope | 'unchanged'>();

/** The event with its `data` rewritten; the same one where nothing is asked for, or nothing is there to rewrite. */
export function normalised(envelope: Envelope, { bytes }: Normalise): Envelope {
  const data = envelope.members.get('data');
  if (bytes !== true || data === undefined || !mayHoldBytes(envelope.body, data)) return envelope;
  const known = shared.get(envelope);
  if (known !== undefined) return known === 'unchanged' ? envelope : known;
  const rewritten = withPlainBytes(envelope, data);
  if (envelope.body.length <= MAX_SHARED_BYTES)
    shared.set(envelope, rewritten === envelope ? 'unchanged' : rewritten);
  return rewritten;
}

function withPlainBytes(envelope: Envelope, data: Span): Envelope {
  const { body } = envelope;
  const pieces: Buffer[] = [];
  let isChanged = false;
  rewriteBytes(body, data, {
    keep: (start, end) => pieces.push(body.subarray(start, end)),
    put: (text) => {
      isChanged = true;
      pieces.push(text);
    },
  });
  return isChanged ? withData(envelope, data, pieces) : envelope;
}

/** Identity and everything else stay: it is the same event. */
function withData(envelope: Envelope, { start, end }: Span, pieces: readonly Buffer[]): Envelope {
  const { body } = envelope;
  const rewritten = Buffer.concat([body.subarray(0, start), ...pieces, body.subarray(end)]);
  const longer = rewritten.length - body.length;
  const moved = (position: number): number => (position >= end ? position + longer : position);
  const members = [...envelope.members].map(
    ([name, span]) => [name, { start: moved(span.start), end: moved(span.end) }] as const,
  );
  return { ...envelope, body: rewritten, members: new Map(members) };
}
