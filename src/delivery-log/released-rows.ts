import { promisify } from 'node:util';
import { inflateRaw, inflateRawSync } from 'node:zlib';
import { HAPPENINGS, type LogRecord } from './log-record';
import type { StoredRows } from './packed-rows';

/** Preset dictionary of DEFLATE for the lines of a block of 1.0.0. */
const DICTIONARY = Buffer.from(
  [
    'no-destination\tnobody-subscribed\tshutdown\tunreadable\tdestination-removed\texpired\tparked-limit\toversize\t',
    'ETIMEDOUT\tECONNREFUSED\tECONNRESET\tENOTFOUND\tHTTP_404\tHTTP_401\tHTTP_429\tHTTP_503\tHTTP_502\tHTTP_500\t',
    'attempts-exhausted\trejected\tcircuit-open\tsaturated\tslow\t{\\"error\\":\\"message\\":\\"<html><head><title>',
    'group-participants.update\tlabels.association\tcall\tqrcode.updated\tconnection.update\tchats.update\tchats.upsert\t',
    'contacts.upsert\tcontacts.update\tpresence.update\tsend.message\tmessages.update\tmessages.upsert\t',
    'pusher:global\twebsocket:global\tpusher:instance/\twebsocket:instance/\twebhook:instance/\twebhook:global\t',
    '@g.us\t\t\t\n@lid\t\t\n0\tmi\t1\t\t200\t\tdlv_\twebhook:global\t\tmessages.upsert\t3EB0\t5511\t@s.whatsapp.net\t\t\t\n',
  ].join(''),
);
/** What a block may be inflated to: more is none of ours. */
const MAX_BYTES = 1_048_576;
const LEAST_CHUNK = 1024;
/** What lines are inflated to, at the most of what is usual: as much memory is held by each block. */
const RATIO = 8;
/** Another thread costs more than inflating less. */
const LARGE = 2048;
const NEWLINE = 0x0a;
const FIELDS = 15;

const inflate = promisify(inflateRaw);

/** Rows of a block that 1.0.0 wrote: lines of fields with tabs between them, compressed. Undefined for what it did not write. */
export async function releasedRows(compressed: Buffer): Promise<StoredRows | undefined> {
  const chunkSize = Math.min(MAX_BYTES, Math.max(LEAST_CHUNK, compressed.length * RATIO));
  const options = { dictionary: DICTIONARY, maxOutputLength: MAX_BYTES, chunkSize };
  try {
    const isSmall = compressed.length < LARGE;
    return new Lines(isSmall ? inflateRawSync(compressed, options) : await inflate(compressed, options));
  } catch {
    return undefined;
  }
}

/** Lines that are made text one by one. */
class Lines implements StoredRows {
  /** Where each begins, and where the last one ends. */
  private readonly begins = [0];

  constructor(private readonly text: Buffer) {
    for (let end = text.indexOf(NEWLINE); end !== -1; end = text.indexOf(NEWLINE, end + 1))
      this.begins.push(end + 1);
  }

  get count(): number {
    return this.begins.length - 1;
  }

  at(row: number): LogRecord | undefined {
    const [begin, next] = [this.begins[row], this.begins[row + 1]];
    if (begin === undefined || next === undefined) return undefined;
    try {
      return recordOf(this.text.toString('utf8', begin, next - 1).split('\t'));
    } catch {
      // Somebody wrote over it.
      return undefined;
    }
  }
}

function recordOf(fields: readonly string[]): LogRecord | undefined {
  const what = HAPPENINGS[Number(fields[0])];
  if (what === undefined || fields.length !== FIELDS) return undefined;
  const text = (index: number): string => plain(fields[index] ?? '');
  const number = (index: number): number => Number(fields[index]) || 0;
  return {
    what,
    at: Number.parseInt(fields[1] ?? '', 36) || 0,
    attempt: number(2),
    durationMs: number(3),
    status: number(4),
    bytes: number(5),
    id: text(6),
    destination: text(7),
    instance: text(8),
    event: text(9),
    message: text(10),
    chat: text(11),
    alias: text(12),
    code: text(13),
    answer: text(14),
  };
}

function plain(text: string): string {
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
