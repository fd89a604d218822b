import type { Agent, buildConnector, Dispatcher } from 'undici';
import { parseUrl } from '../config/url';
import { AddressRefusedError, errorCode, errorText } from '../errors';
import { monotonicMs } from '../time/monotonic';
import type { AddressGuard } from './address-guard';
import { boundAnswers, MAX_HEAD } from './answer-bounds';
import { operatorLookup } from './names';
import { makeAgent, makeConnector } from './undici-parts';

export interface DownloaderOptions {
  readonly maxBytes: number;
  /** For a whole file, from the request to the last byte. */
  readonly timeoutMs: number;
  /** Without any progress: connecting, until the headers, between two pieces of the body. */
  readonly idleMs: number;
  readonly guard: AddressGuard;
  /** Scheme, host and port that the operator configured, as `URL.origin` writes them: it may be anywhere. */
  readonly trustedOrigin: string | undefined;
}

export interface DownloadOrder {
  readonly signal: AbortSignal;
  /** Asked before the body is read; `bytes` is all that it can come to. False: there is no room for it now. */
  readonly admit: (bytes: number) => boolean;
}

export type Download =
  | { readonly kind: 'done'; readonly body: Buffer }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'too-large' }
  /** `admit` said no to this many bytes; nothing was read. */
  | { readonly kind: 'no-room'; readonly bytes: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string };

/** What a body may take on its way, in chunks however small, against its own size. */
const CHUNKING = 2;
/** A file must come at no less than this share of the pace that ends it in time, once its first moments are over. */
const LEAST_PACE = 0.5;
const KEEP_ALIVE_MS = 4000;
/** Links come from outside: no more servers than this at once. */
const MAX_ORIGINS = 256;

/** Fetches files from addresses that came in from outside: guarded, bounded in time and size, without redirects. */
export class Downloader {
  private readonly guarded: Agent;
  private readonly open: Agent;

  constructor(private readonly options: DownloaderOptions) {
    const { idleMs, guard } = options;
    const limits = {
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxOrigins: MAX_ORIGINS,
      maxHeaderSize: MAX_HEAD,
    };
    const bounded = (connector: buildConnector.connector): Agent =>
      makeAgent({
        ...limits,
        connect: boundAnswers(connector, { maxBytes: options.maxBytes * CHUNKING + MAX_HEAD }),
      });
    this.guarded = bounded(guard.connector({ timeout: idleMs }));
    this.open = bounded(makeConnector({ timeout: idleMs, lookup: operatorLookup }));
  }

  async fetch(address: string, order: DownloadOrder): Promise<Download> {
    const url = parseUrl(address);
    if (url === undefined) return { kind: 'refused', reason: 'the link is no address' };
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      return { kind: 'refused', reason: 'the link does not start with http:// or https://' };
    }
    const agent = url.origin === this.options.trustedOrigin ? this.open : this.guarded;
    const begunAt = monotonicMs();
    try {
      const response = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        signal: AbortSignal.any([order.signal, AbortSignal.timeout(this.options.timeoutMs)]),
      });
      return await this.read(response, order, begunAt);
    } catch (error) {
      if (error instanceof AddressRefusedError) return { kind: 'refused', reason: errorText(error) };
      return { kind: 'failed', code: errorCode(error) };
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.guarded.destroy(), this.open.destroy()]);
  }

  private async read(
    { statusCode, headers, body }: Dispatcher.ResponseData,
    { admit }: DownloadOrder,
    begunAt: number,
  ): Promise<Download> {
    const { maxBytes } = this.options;
    const leave = (download: Download): Download => {
      // A body that is not read to its end closes its connection.
      body.destroy();
      return download;
    };
    body.on('error', () => {});
    if (statusCode !== 200) return leave({ kind: 'status', status: statusCode });
    const length = lengthOf(headers['content-length']);
    if (length !== undefined && length > maxBytes) return leave({ kind: 'too-large' });
    if (!admit(length ?? maxBytes)) return leave({ kind: 'no-room', bytes: length ?? maxBytes });
    const pieces = new Pieces(length);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (pieces.bytes + chunk.length > maxBytes) return leave({ kind: 'too-large' });
      pieces.add(chunk);
      if (this.isTooSlow(pieces.bytes, length ?? 0, monotonicMs() - begunAt)) {
        return leave({ kind: 'failed', code: 'DOWNLOAD_TOO_SLOW' });
      }
    }
    return { kind: 'done', body: pieces.whole() };
  }

  /** A server that lets single bytes drip would otherwise hold its place for as long as a whole file may. */
  private isTooSlow(bytes: number, length: number, elapsedMs: number): boolean {
    const { idleMs, timeoutMs } = this.options;
    return elapsedMs > idleMs && bytes < length * (elapsedMs / timeoutMs) * LEAST_PACE;
  }
}

/** A body as it comes: one buffer of its size where that is known, so that it is in memory once. */
class Pieces {
  private readonly buffer: Buffer | undefined;
  private readonly chunks: Buffer[] = [];
  private read = 0;

  constructor(length: number | undefined) {
    this.buffer = length === undefined ? undefined : Buffer.allocUnsafeSlow(length);
  }

  get bytes(): number {
    return this.read;
  }

  add(chunk: Buffer): void {
    // undici fails a body that is longer than its length said.
    if (this.buffer === undefined) this.chunks.push(chunk);
    else chunk.copy(this.buffer, this.read);
    this.read += chunk.length;
  }

  whole(): Buffer {
    return this.buffer ?? Buffer.concat(this.chunks);
  }
}

function lengthOf(header: string | string[] | undefined): number | undefined {
  const length = typeof header === 'string' ? Number(header) : Number.NaN;
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}
