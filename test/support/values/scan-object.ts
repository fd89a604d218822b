import { eachMember, type Span } from '../../../src/events/json-scanner';
import { decodeString } from '../../../src/events/json-strings';

/** One member of a JSON object: the decoded key, and where key (with quotes) and value stand in the text. */
export interface Member {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Span;
}

/** All members of the JSON object that fills `span`. */
export function scanObject(text: Buffer, span: Span = { start: 0, end: text.length }): Member[] {
  const members: Member[] = [];
  eachMember(text, span, (keySpan, value) =>
    members.push({ key: decodeString(text, keySpan), keySpan, value }),
  );
  return members;
}
