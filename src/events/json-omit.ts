import { isObject, type Member, type Span, scanObject } from './json-scanner';

/**
 * The parts of the value at `span` that remain when the member at `path` is left out, in order and byte for
 * byte. Every member of that name goes (JSON allows duplicates); where the path leads nowhere, one part: all.
 */
export function omitMember(text: Buffer, span: Span, path: readonly string[]): Span[] {
  const cuts = cutsOf(text, span, path);
  const parts: Span[] = [];
  let start = span.start;
  for (const cut of cuts) {
    parts.push({ start, end: cut.start });
    start = cut.end;
  }
  parts.push({ start, end: span.end });
  return parts.filter((part) => part.end > part.start);
}

function cutsOf(text: Buffer, span: Span, path: readonly string[]): Span[] {
  const [name, ...rest] = path;
  if (name === undefined || !isObject(text, span)) return [];
  const members = scanObject(text, span);
  if (rest.length > 0) {
    return members.flatMap((member) => (member.key === name ? cutsOf(text, member.value, rest) : []));
  }
  return cutsOfMembers(members, name);
}

/** A cut member takes the comma behind it along; those behind the last kept member the comma before them. */
function cutsOfMembers(members: readonly Member[], name: string): Span[] {
  const first = members[0];
  const last = members[members.length - 1];
  if (first === undefined || last === undefined) return [];
  const lastKept = members.findLastIndex((member) => member.key !== name);
  const kept = members[lastKept];
  if (kept === undefined) return [{ start: first.keySpan.start, end: last.value.end }];
  const cuts = members
    .slice(0, lastKept)
    .flatMap((member, index) =>
      member.key === name
        ? [{ start: member.keySpan.start, end: members[index + 1]?.keySpan.start ?? member.value.end }]
        : [],
    );
  if (kept !== last) cuts.push({ start: kept.value.end, end: last.value.end });
  return cuts;
}
