import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { HOST } from '../support/processes/ports';
import { INSTANCE } from './events';
import type { Identity, Publications } from './publications';

/** How a receiver behaves, beyond answering 200. */
export interface Behaviour {
  readonly name: string;
  readonly story: string;
  /** Every so many requests, one is answered 503. */
  readonly failsEvery?: number;
  /** The port stays closed for so long. */
  readonly opensAfterMs?: number;
  /** Every request must have this. */
  readonly header?: readonly [name: string, value: string];
}

const DATA = Buffer.from(',"data":');
/** The key that follows `data` in what a webhook receives (docs/core-api.md#order-of-the-keys). */
const AFTER_DATA = Buffer.from(',"destination":');

/** A webhook: a real HTTP server that checks and counts what it gets. */
export class Receiver {
  requests = 0;
  /** Requests answered 503. */
  refused = 0;
  /** Answered 200 although the same delivery had been before. */
  duplicated = 0;
  /** Requests that are not, byte for byte, what was published; with the first one's reason. */
  altered = 0;
  alteration = '';
  isOpen = false;
  /** From publish to delivered, one for each event. */
  readonly agesMs: number[] = [];
  /** `webhook-id` of each event that was answered 200. */
  private readonly deliveries = new Map<string, string>();
  private readonly server: Server;

  constructor(
    readonly behaviour: Behaviour,
    readonly port: number,
    private readonly publications: Publications,
  ) {
    this.server = createServer((request, response) => {
      this.answer(request).then(
        (status) => response.writeHead(status).end(),
        // The relay was ended in the middle of the request.
        () => response.destroy(),
      );
    });
  }

  get name(): string {
    return this.behaviour.name;
  }

  get url(): string {
    return `http://${HOST}:${this.port}/webhook`;
  }

  /** Events that came at least once. */
  get delivered(): number {
    return this.deliveries.size;
  }

  has(key: string): boolean {
    return this.deliveries.has(key);
  }

  /** Opens the port, after the time that it stays closed. */
  async open(signal: AbortSignal): Promise<void> {
    await delay(this.behaviour.opensAfterMs ?? 0, undefined, { signal });
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(this.port, HOST, resolve);
    });
    this.isOpen = true;
  }

  async close(): Promise<void> {
    this.isOpen = false;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async answer(request: IncomingMessage): Promise<number> {
    const number = ++this.requests;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { failsEvery } = this.behaviour;
    if (failsEvery !== undefined && number % failsEvery === 0) {
      this.refused++;
      return 503;
    }
    this.count(request.headers, Buffer.concat(chunks));
    return 200;
  }

  private count(headers: IncomingHttpHeaders, body: Buffer): void {
    const { header } = this.behaviour;
    if (header !== undefined && headers[header[0]] !== header[1]) return this.countAltered(`no ${header[0]}`);
    const id = headers['webhook-id'];
    const identity = identityOf(body, this.url);
    const found = identity === undefined ? undefined : this.publications.find(identity);
    if (typeof id !== 'string' || found === undefined) {
      return this.countAltered(`${identity?.event ?? 'no event'} for ${identity?.instance ?? 'no instance'}`);
    }
    const known = this.deliveries.get(found.key);
    if (known === undefined) {
      this.deliveries.set(found.key, id);
      this.agesMs.push(found.ageMs);
    } else if (known === id) this.duplicated++;
    else this.countAltered(`one event under two webhook-ids, ${known} and ${id}`);
  }

  private countAltered(reason: string): void {
    if (this.altered === 0) this.alteration = reason;
    this.altered++;
  }
}

/** `data` as the bytes that came: parsed and printed again, a change on the way could go unseen. */
function identityOf(body: Buffer, url: string): Identity | undefined {
  const { event, instance, date_time: dateTime, destination } = parseObject(body);
  const [start, end] = [body.indexOf(DATA), body.lastIndexOf(AFTER_DATA)];
  if (start === -1 || end < start) return undefined;
  if (typeof event !== 'string' || typeof instance !== 'string' || typeof dateTime !== 'string')
    return undefined;
  // Bodies of the global webhook name its address with the event, or an instance's own webhook (docs/webhooks.md).
  const named = [url, `${url}/${event.replaceAll('.', '-')}`];
  if (instance !== INSTANCE && !named.some((each) => each === destination)) return undefined;
  return { event, instance, dateTime, data: body.subarray(start + DATA.length, end) };
}

function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
