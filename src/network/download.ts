import { Agent, buildConnector, type Dispatcher } from 'undici';
import { parseUrl } from '../config/url';
import { AddressRefusedError, errorCode } from '../errors';
import type { AddressGuard } from './address-guard';
import { boundAnswers, MAX_HEAD } from './answer-bounds';
import { operatorLookup } from './names';

export interface DownloaderOptions {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly guard: AddressGuard;
  /** Host that the operator configured: it may be anywhere. */
  readonly trustedHost: string | undefined;
}

export type Download =
  | { readonly kind: 'done'; readonly body: Buffer }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string };

/** What a body may take on its way, in chunks however small, against its own size. */
const CHUNKING = 2;

/** Fetches files from addresses that came in from outside: guarded, bounded in time and size, without redirects. */
export class Downloader {
  private readonly guarded: Agent;
  private readonly open: Agent;

  constructor(private readonly options: DownloaderOptions) {
    const { timeoutMs, guard } = options;
    const limits = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs, keepAliveTimeout: 4000 };
    const bounded = (connector: buildConnector.connector): Agent =>
      new Agent({
        ...limits,
        maxHeaderSize: MAX_HEAD,
        connect: boundAnswers(connector, { maxBytes: options.maxBytes * CHUNKING + MAX_HEAD }),
      });
    this.guarded = bounded(guard.connector({ timeout: timeoutMs }));
    this.open = bounded(buildConnector({ timeout: timeoutMs, lookup: operatorLookup }));
  }

  async fetch(address: string, signal: AbortSignal): Promise<Download> {
    const url = parseUrl(address);
    if (url === undefined) return { kind: 'refused', reason: 'the link is no address' };
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      return { kind: 'refused', reason: 'the link does not start with http:// or https://' };
    }
    const agent = url.hostname === this.options.trustedHost ? this.open : this.guarded;
    try {
      const response = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]),
      });
      return await this.read(response);
    } catch (error) {
      if (error instanceof AddressRefusedError) return { kind: 'refused', reason: error.message };
      return { kind: 'failed', code: errorCode(error) };
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.guarded.destroy(), this.open.destroy()]);
  }

  private async read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Download> {
    const { maxBytes } = this.options;
    // A body that is not read to its end closes its connection.
    body.on('error', () => {});
    if (statusCode !== 200) {
      body.destroy();
      return { kind: 'status', status: statusCode };
    }
    const chunks: Buffer[] = [];
    let bytes = Number(headers['content-length'] ?? 0) > maxBytes ? Number.POSITIVE_INFINITY : 0;
    if (bytes <= maxBytes) {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) break;
        chunks.push(chunk);
      }
    }
    if (bytes <= maxBytes) return { kind: 'done', body: Buffer.concat(chunks) };
    body.destroy();
    return { kind: 'too-large' };
  }
}
