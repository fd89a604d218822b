/**
 * How rows lie in a block, which `RowWriter` writes and `packedRows` reads. Blocks are read by later versions: nothing here is
 * changed, and lists grow at their ends alone.
 *
 * A block: its bytes that follow (4, PACKED added), bytes of all rows (4), time of the first one (6, epoch milliseconds), number of
 * rows and number of names (2 each), the rows, each after its length (2), and the names, each after its length. Lengths and all
 * numbers of a row but these have seven bits in each byte, the lowest first.
 *
 * A row: what happened, its time less that of the first row, attempt, duration, status and bytes of the event; its id, a text;
 * destination, instance and event, which are names; message, a text; chat and alias, each a text and the place of its suffix; code, a name;
 * answer, a text. A number that may be negative is doubled, and is odd where it is (`2n`, `-2n - 1`). A text is `length * 4 + kind`,
 * then its bytes; a name is its place.
 */
export const HEAD_BYTES = 18;
/** What the length of a block does not count. */
export const BLOCK_LENGTH_BYTES = 4;
/** Before each row. */
export const ROW_LENGTH_BYTES = 2;
/** In the length of a block: it is none of 1.0.0, which compressed lines. */
export const PACKED = 0x8000_0000;

/** As JSON writes it, without quotes: here the length counts bytes, of the others it counts characters. */
export const PLAIN = 0;
/** Six bits for each character of base64url. */
export const SEXTETS = 1;
/** Four bits for each digit of a hexadecimal number in capitals. */
export const NIBBLES = 2;
export type TextKind = typeof PLAIN | typeof SEXTETS | typeof NIBBLES;

/** What chats end in, by places. */
export const SUFFIXES = [
  '',
  '@s.whatsapp.net',
  '@lid',
  '@g.us',
  '@newsletter',
  '@broadcast',
  '@c.us',
] as const;

/** Names that are known by their places; those of a block follow them. */
export const COMMON_NAMES = [
  '',
  'webhook:global',
  'pusher:global',
  'websocket:global',
  'messages.upsert',
  'messages.update',
  'send.message',
  'presence.update',
  'contacts.update',
  'contacts.upsert',
  'chats.update',
  'chats.upsert',
  'connection.update',
  'group-participants.update',
  'call',
  'Message',
  'Receipt',
  'Presence',
  'ChatPresence',
  'slow',
  'saturated',
  'circuit-open',
  'no-destination',
  'filtered',
  'rejected',
  'attempts-exhausted',
  'HTTP_400',
  'HTTP_401',
  'HTTP_404',
  'HTTP_410',
  'HTTP_429',
  'HTTP_500',
  'HTTP_502',
  'HTTP_503',
  'HTTP_504',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'TIMEOUT',
] as const;
