/** What a body that is no event may be instead, and what helps: for the message about it. */

const PLAIN = 'publish events as plain JSON';
/** First bytes of what is no text. */
const BINARY: readonly (readonly [start: string, hint: string])[] = [
  ['1f8b', `it is compressed with gzip; ${PLAIN}`],
  ['7801', `it is compressed with deflate; ${PLAIN}`],
  ['785e', `it is compressed with deflate; ${PLAIN}`],
  ['789c', `it is compressed with deflate; ${PLAIN}`],
  ['78da', `it is compressed with deflate; ${PLAIN}`],
  ['28b52ffd', `it is compressed with zstd; ${PLAIN}`],
  ['fffe', 'it is UTF-16; publish events in UTF-8'],
  ['feff', 'it is UTF-16; publish events in UTF-8'],
];
/** And of texts that are no object: a byte order mark, and `{"` in base64 among them. */
const TEXTS: readonly (readonly [start: string, hint: string])[] = [
  ['efbbbf', 'it begins with a byte order mark; publish it without'],
  ['22', 'it is a text, as JSON that was encoded twice is; encode it once'],
  ['5b', 'it is a list; publish each event by itself'],
  ['65794a', `it is in base64; ${PLAIN}`],
];

/** Keys of what services wrap what they hand on in, unless they are told not to. */
const ENVELOPES: readonly (readonly [keys: readonly string[], hint: string])[] = [
  [
    ['Type', 'TopicArn'],
    'it is an envelope of SNS: enable raw message delivery for the subscription of this queue',
  ],
  [
    ['detail-type', 'detail'],
    'it is an envelope of EventBridge: make the rule hand on $.detail alone (input path)',
  ],
  [['specversion', 'data'], 'it is a CloudEvent: publish its data alone'],
  [['Records'], 'it is a batch of records, as AWS hands them to functions: publish each event by itself'],
];

/** Of one that is no text. */
export function binaryHint(body: Buffer): string {
  return hintOf(BINARY, body);
}

/** Of one that is no object. */
export function textHint(body: Buffer): string {
  return hintOf(TEXTS, body);
}

const LONGEST_START = 4;

function hintOf(hints: typeof BINARY, body: Buffer): string {
  const begins = body.toString('hex', 0, LONGEST_START);
  const found = hints.find(([start]) => begins.startsWith(start));
  return found === undefined ? '' : `: ${found[1]}`;
}

/** Of one that names no event. */
export function envelopeHint(keys: { has(key: string): boolean }): string {
  const found = ENVELOPES.find(([names]) => names.every((name) => keys.has(name)));
  return found === undefined ? '' : `: ${found[1]}`;
}
