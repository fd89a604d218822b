import { setTimeout as delay } from 'node:timers/promises';
import { MalformedEventError } from '../../errors';

/** What the source needs of `network/download.ts`. */
export interface ClaimDownloader {
  fetch(url: string, signal: AbortSignal): Promise<ClaimDownload>;
}

export type ClaimDownload =
  | { readonly kind: 'done'; readonly body: Buffer }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string };

/** The whole event; or why it can never be had; or when to look again. */
export type ClaimResult =
  | { readonly kind: 'fetched'; readonly body: Buffer }
  | { readonly kind: 'flawed'; readonly error: MalformedEventError }
  | { readonly kind: 'later'; readonly afterSeconds: number };

export interface ClaimOptions {
  readonly downloader: ClaimDownloader;
  /** Pauses between tries while the message is held. */
  readonly pausesMs?: readonly number[];
}

const PAUSES_MS = [1000, 2000, 4000, 8000];
/** What cannot be fetched in that time goes back for so long, each time twice as long. */
const LATER_FIRST_SECONDS = 30;
const LATER_LAST_SECONDS = 900;
/** And is given up on when it has come this often: about four hours. */
const MAX_RECEIPTS = 20;
/** Files under way at once: each may be as large as they may be. */
const CONCURRENCY = 4;
/** A message that refers to a file holds little else. */
const MAX_CLAIM_BYTES = 16_384;
/** Answers of S3 to a link that has expired, and to one whose file is gone. */
const EXPIRED: ReadonlySet<number> = new Set([403, 404, 410]);
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** Whether a body may refer to a file that holds the event (contract B.4, claim check): a cheap first look. */
export function isClaim(body: Buffer): boolean {
  return body.length <= MAX_CLAIM_BYTES && body.includes('"fileUrl"') && linkOf(body) !== undefined;
}

/**
 * Fetches the events that were too large for SQS: the core API puts such a one into S3 whole, and only a link to it
 * into the queue.
 */
export class ClaimChecks {
  private readonly closing = new AbortController();
  private underWay = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly options: ClaimOptions) {}

  async redeem(body: Buffer, receiveCount: number): Promise<ClaimResult> {
    const link = linkOf(body);
    if (link === undefined) return flawed('CLAIM_INVALID', 'the message names no file');
    for (const pauseMs of [...(this.options.pausesMs ?? PAUSES_MS), 0]) {
      const result = resultOf(await this.fetch(link));
      if (result !== undefined) return result;
      if (this.closing.signal.aborted) return { kind: 'later', afterSeconds: 0 };
      await delay(pauseMs, undefined, { signal: this.closing.signal }).catch(() => {});
    }
    if (receiveCount >= MAX_RECEIPTS) {
      return flawed(
        'CLAIM_UNAVAILABLE',
        `the file could not be fetched, although tried ${receiveCount} times over hours`,
      );
    }
    const afterSeconds = Math.min(LATER_LAST_SECONDS, LATER_FIRST_SECONDS * 2 ** (receiveCount - 1));
    return { kind: 'later', afterSeconds: this.closing.signal.aborted ? 0 : afterSeconds };
  }

  /** What is under way ends, and its messages go back. */
  close(): void {
    this.closing.abort();
    for (const go of this.waiting.splice(0)) go();
  }

  private async fetch(link: string): Promise<ClaimDownload> {
    const { signal } = this.closing;
    while (this.underWay >= CONCURRENCY && !signal.aborted) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    if (signal.aborted) return { kind: 'failed', code: 'CLOSED' };
    this.underWay++;
    try {
      return await this.options.downloader.fetch(link, signal);
    } finally {
      this.underWay--;
      this.waiting.shift()?.();
    }
  }
}

/** Undefined: to be tried again. */
function resultOf(download: ClaimDownload): ClaimResult | undefined {
  switch (download.kind) {
    case 'done':
      return { kind: 'fetched', body: download.body };
    case 'too-large':
      return flawed('CLAIM_TOO_LARGE', 'the file is larger than may be held at once');
    case 'refused':
      return flawed('CLAIM_ADDRESS_REFUSED', download.reason);
    case 'failed':
      return undefined;
    case 'status':
      return resultOfStatus(download.status);
  }
}

function resultOfStatus(status: number): ClaimResult | undefined {
  if (EXPIRED.has(status)) {
    return flawed('CLAIM_EXPIRED', `the link has expired or its file is gone (status ${status})`);
  }
  if (status >= 500 || PASSING.has(status)) return undefined;
  return flawed('CLAIM_REJECTED', `the file was not given out (status ${status})`);
}

function flawed(code: string, message: string): ClaimResult {
  return { kind: 'flawed', error: new MalformedEventError(code, message) };
}

function linkOf(body: Buffer): string | undefined {
  try {
    const event: unknown = JSON.parse(body.toString());
    if (!isRecord(event) || event['dataType'] !== 's3' || !isRecord(event['data'])) return undefined;
    const { fileUrl } = event['data'];
    return typeof fileUrl === 'string' ? fileUrl : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
