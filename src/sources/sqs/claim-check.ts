import { parseUrl } from '../../config/url';
import { MalformedEventError } from '../../errors';
import type { Download, Downloader } from '../../network/download';

/** A message that refers to a file in S3 which holds the event: it was too large for SQS. */
export interface Claim {
  readonly link: string;
  /** Host and port of the link; empty where it is no address. */
  readonly host: string;
  /** The instance that the message names; empty where it names none. */
  readonly instance: string;
}

/** What the source needs of `network/download.ts`. */
export type ClaimDownloader = Pick<Downloader, 'fetch'>;

/** What a download comes to: the event; no event, ever; or a fault that may pass. */
export type Verdict =
  | { readonly kind: 'fetched'; readonly body: Buffer }
  | { readonly kind: 'flawed'; readonly error: MalformedEventError }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'no-room' };

/** A message that refers to a file holds little else. */
const MAX_CLAIM_BYTES = 16_384;
/** Answers of S3 to a link that has expired, and to one whose file is gone. */
const EXPIRED: ReadonlySet<number> = new Set([403, 404, 410]);
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);
const FIRST_MARK = '"fileUrl"';

/** What a body refers to; undefined where it is an event itself. The first two conditions cost next to nothing. */
export function claimOf(body: Buffer): Claim | undefined {
  if (body.length > MAX_CLAIM_BYTES || !body.includes(FIRST_MARK)) return undefined;
  let event: unknown;
  try {
    event = JSON.parse(body.toString());
  } catch {
    return undefined;
  }
  if (!isRecord(event) || event['dataType'] !== 's3' || !isRecord(event['data'])) return undefined;
  const { fileUrl } = event['data'];
  if (typeof fileUrl !== 'string') return undefined;
  const { instance } = event;
  return {
    link: fileUrl,
    host: parseUrl(fileUrl)?.host ?? '',
    instance: typeof instance === 'string' ? instance : '',
  };
}

export function verdictOf(download: Download): Verdict {
  switch (download.kind) {
    case 'done':
      return { kind: 'fetched', body: download.body };
    case 'too-large':
      return flawed('CLAIM_TOO_LARGE', 'the file is larger than may be held at once');
    case 'refused':
      return flawed('CLAIM_ADDRESS_REFUSED', download.reason);
    case 'no-room':
    case 'failed':
      return download;
    case 'status':
      return verdictOfStatus(download.status);
  }
}

export function unavailable(receiveCount: number, code: string): MalformedEventError {
  return new MalformedEventError(
    'CLAIM_UNAVAILABLE',
    `the file could not be fetched, although tried ${receiveCount} times over hours (${code})`,
  );
}

function verdictOfStatus(status: number): Verdict {
  if (EXPIRED.has(status)) {
    return flawed('CLAIM_EXPIRED', `the link has expired or its file is gone (status ${status})`);
  }
  if (status >= 500 || PASSING.has(status)) return { kind: 'failed', code: `HTTP_${status}` };
  return flawed('CLAIM_REJECTED', `the file was not given out (status ${status})`);
}

function flawed(code: string, message: string): Verdict {
  return { kind: 'flawed', error: new MalformedEventError(code, message) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
