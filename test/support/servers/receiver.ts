import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { resetSocket } from '../../../src/redis/socket-reset';
import { freePort, HOST } from '../processes/ports';

/** One request, as far as behaviours look at it. */
export interface Arrival {
  /** What is unique in the event's data. */
  readonly key: string;
  /** `x-evolution-relay-attempt`. */
  readonly attempt: number;
}

/** What a request gets. `endless` says 200 and then never stops talking, one half in a flood, one half in drops. */
export type Answer = { readonly status: number; readonly afterMs?: number } | 'reset' | 'hang' | 'endless';
export type Behaviour = (arrival: Arrival) => Answer;

/** What is known of one event. */
export interface Tally {
  /** Requests that carried it. */
  arrivals: number;
  /** Requests that were answered with 2xx: more than one are duplicates. */
  accepted: number;
  readonly webhookIds: Set<string>;
  /** Headers `traceparent`, in the order of the requests. */
  readonly traceparents: string[];
  /** What `webhook-lane-gap` said, in each request that had it. */
  readonly laneGaps: string[];
}

export function answering(status: number, afterMs = 0): Behaviour {
  return () => ({ status, afterMs });
}

export const ok = answering(200);

/** Every `n`th event, chosen by its key, gets `bad` at its first `attempts` attempts; the others are well. */
export function everyNth(n: number, attempts: number, bad: Answer): Behaviour {
  return ({ key, attempt }) => (attempt <= attempts && hashOf(key) % n === 0 ? bad : { status: 200 });
}

function hashOf(key: string): number {
  let hash = 7;
  for (const char of key) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003;
  return hash;
}

const FLOOD = Buffer.alloc(16_384, 'x');

export interface ReceiverOptions {
  /** What is unique in an event; that of a message where it is left out. */
  readonly keyOf?: (body: Buffer) => string;
  /** How long a connection may be idle. */
  readonly keepAliveMs?: number;
}

/** A real HTTP server that counts every event, and behaves as badly as it is told to, at any moment. */
export class Receiver {
  /** By key. */
  readonly tallies = new Map<string, Tally>();
  /** Keys in the order in which their events were accepted for the first time. */
  readonly firstArrivals: string[] = [];
  behaviour: Behaviour = ok;
  #arrivals = 0;
  #accepted = 0;
  #distinct = 0;
  #open = 0;
  #peakOpen = 0;
  readonly #watchers = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
    private readonly options: ReceiverOptions,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#take(request, response),
    );
    // The relay's pool decides when a connection ends; a race between both ends would look like a failure.
    server.keepAliveTimeout = options.keepAliveMs ?? 60_000;
  }

  static async start(options: ReceiverOptions = {}): Promise<Receiver> {
    const receiver = new Receiver(createServer(), await freePort(), options);
    await receiver.up();
    return receiver;
  }

  get url(): string {
    return `http://${HOST}:${this.port}/hook`;
  }

  /** Requests, whatever they got. */
  get arrivals(): number {
    return this.#arrivals;
  }

  /** Requests answered with 2xx. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Events answered with 2xx at least once. */
  get distinct(): number {
    return this.#distinct;
  }

  get duplicates(): number {
    return this.#accepted - this.#distinct;
  }

  /** Most requests that waited for their answer at once. */
  get peakOpen(): number {
    return this.#peakOpen;
  }

  missing(keys: Iterable<string>): string[] {
    return [...keys].filter((key) => (this.tallies.get(key)?.accepted ?? 0) === 0);
  }

  /** Resolves as soon as `condition` holds, which is looked at whenever a request came or was answered. */
  until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        if (error === undefined) resolve();
        else reject(error);
      };
      const watch = (): void => {
        if (condition()) end();
      };
      const timer = setTimeout(() => {
        const state = `${this.#distinct} events accepted, ${this.#arrivals} requests`;
        end(new Error(`the receiver waited ${timeoutMs} ms in vain for ${what}; ${state}`));
      }, timeoutMs);
      this.#watchers.add(watch);
    });
  }

  async up(): Promise<void> {
    this.server.listen(this.port, HOST);
    await once(this.server, 'listening');
  }

  /** The port refuses, every connection is reset. */
  async down(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  async close(): Promise<void> {
    if (this.server.listening) await this.down();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('end', () => {
      this.#peakOpen = Math.max(this.#peakOpen, ++this.#open);
      response.once('close', () => this.#open--);
      const key = (this.options.keyOf ?? keyOfMessage)(Buffer.concat(chunks));
      const tally = this.#tallyOf(key);
      tally.arrivals++;
      tally.webhookIds.add(String(request.headers['webhook-id']));
      const { traceparent } = request.headers;
      const laneGap = request.headers['webhook-lane-gap'];
      if (laneGap !== undefined) tally.laneGaps.push(String(laneGap));
      if (traceparent !== undefined) tally.traceparents.push(String(traceparent));
      this.#arrivals++;
      const attempt = Number(request.headers['x-evolution-relay-attempt']);
      this.#give(this.behaviour({ key, attempt }), key, request, response);
      this.#tell();
    });
  }

  #give(answer: Answer, key: string, request: IncomingMessage, response: ServerResponse): void {
    if (answer === 'hang') return;
    if (answer === 'reset') {
      resetSocket(request.socket);
      return;
    }
    if (answer === 'endless') {
      this.#count(key, 200);
      this.#talk(response);
      return;
    }
    const reply = (): void => {
      this.#count(key, answer.status);
      response.writeHead(answer.status, { 'content-type': 'text/plain' }).end(`answer ${answer.status}`);
    };
    if (!answer.afterMs) return reply();
    const timer = setTimeout(reply, answer.afterMs);
    response.once('close', () => clearTimeout(timer));
  }

  #talk(response: ServerResponse): void {
    const isFlood = this.#arrivals % 2 === 0;
    response.writeHead(200);
    const timer = setInterval(() => response.write(isFlood ? FLOOD : '.'), isFlood ? 1 : 50);
    response.once('close', () => clearInterval(timer));
  }

  #count(key: string, status: number): void {
    if (status < 200 || status > 299) return;
    const tally = this.#tallyOf(key);
    tally.accepted++;
    this.#accepted++;
    if (tally.accepted === 1) {
      this.#distinct++;
      this.firstArrivals.push(key);
    }
    this.#tell();
  }

  #tallyOf(key: string): Tally {
    const known = this.tallies.get(key);
    if (known !== undefined) return known;
    const tally: Tally = { arrivals: 0, accepted: 0, webhookIds: new Set(), traceparents: [], laneGaps: [] };
    this.tallies.set(key, tally);
    return tally;
  }

  #tell(): void {
    for (const watch of this.#watchers) watch();
  }
}

function keyOfMessage(body: Buffer): string {
  const event = JSON.parse(body.toString('utf8')) as { data?: { key?: { id?: unknown } } };
  return String(event.data?.key?.id);
}
