import type { Envelope } from './envelope';
import type { Span } from './json-scanner';

/** A text in place of a part of the body. */
export interface Edit extends Span {
  readonly text: Buffer;
}

/** The event with its `data` edited; identity and everything else stay. Edits lie within `data` and do not overlap. */
export function withEdits(envelope: Envelope, edits: readonly Edit[]): Envelope {
  if (edits.length === 0) return envelope;
  const { body } = envelope;
  const pieces: Buffer[] = [];
  let kept = 0;
  let longer = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    pieces.push(body.subarray(kept, start), text);
    kept = end;
    longer += text.length - (end - start);
  }
  pieces.push(body.subarray(kept));
  return { ...envelope, body: Buffer.concat(pieces), members: moved(envelope, longer) };
}

function moved({ members }: Envelope, longer: number): Envelope['members'] {
  const end = members.get('data')?.end ?? 0;
  const move = (position: number): number => (position >= end ? position + longer : position);
  return new Map(
    [...members].map(([name, span]) => [name, { start: move(span.start), end: move(span.end) }] as const),
  );
}
