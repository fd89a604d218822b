/** What a body that is no event may be instead, and what helps: for the message about it. */

const GZIP = Buffer.from([0x1f, 0x8b]);

/** Beginnings by which services of AWS wrap what they hand on, unless they are told not to. */
const ENVELOPES: readonly (readonly [keys: readonly string[], hint: string])[] = [
  [
    ['Type', 'TopicArn'],
    'it is an envelope of SNS: enable raw message delivery for the subscription of this queue',
  ],
  [
    ['detail-type', 'detail'],
    'it is an envelope of EventBridge: make the rule hand on $.detail alone (input path)',
  ],
];

/** Of one that is no text. */
export function compressionHint(body: Buffer): string {
  return body.subarray(0, GZIP.length).equals(GZIP)
    ? ': it is compressed with gzip; publish events as plain JSON'
    : '';
}

/** Of one that names no event. */
export function envelopeHint(keys: { has(key: string): boolean }): string {
  const found = ENVELOPES.find(([names]) => names.every((name) => keys.has(name)));
  return found === undefined ? '' : `: ${found[1]}`;
}
