import { isObject, type Span } from './json-scanner';
import { skimAll } from './json-skim';
import { decodeKnownString } from './json-strings';

/** Takes the part of the text from `start` to `end`. */
export type Emit = (start: number, end: number) => void;

/** A character of a key takes six bytes at most, as `\\u0061`. */
const ESCAPED = 6;
const QUOTES = 2;

/**
 * Emits what remains of the value at `span`, which is known to be JSON, when the member at `path` is left out, in order and
 * byte for byte. Every member of that name goes (JSON allows duplicates); where the path leads nowhere, all of it remains.
 * Nothing is kept meanwhile, however many members there are.
 */
export function omitMember(text: Buffer, span: Span, path: readonly string[], emit: Emit): void {
  const [name] = path;
  if (name === undefined || !isObject(text, span)) return emit(span.start, span.end);
  // A member that is cut takes the comma behind it along; those behind the last kept one take the comma before them.
  let first: number | undefined;
  let keptEnd: number | undefined;
  let afterKept: number | undefined;
  let end = span.start;
  skimAll(text, span, (key, value) => {
    first ??= key.start;
    if (keptEnd !== undefined) afterKept ??= key.start;
    end = value.end;
    const isNamed = isKey(text, key, name);
    if (isNamed && path.length === 1) return;
    if (keptEnd === undefined) emit(span.start, first);
    else emit(keptEnd, afterKept ?? keptEnd);
    emit(key.start, value.start);
    if (isNamed) omitMember(text, value, path.slice(1), emit);
    else emit(value.start, value.end);
    keptEnd = value.end;
    afterKept = undefined;
  });
  if (first === undefined) return emit(span.start, span.end);
  if (keptEnd === undefined) emit(span.start, first);
  emit(end, span.end);
}

function isKey(text: Buffer, { start, end }: Span, name: string): boolean {
  return end - start <= name.length * ESCAPED + QUOTES && decodeKnownString(text, { start, end }) === name;
}
