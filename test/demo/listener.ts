import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Identity, Publications } from './publications';

/** How long it stays away once it was cut off. */
const AWAY_MS = 1_500;
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 20_000;
const DATA = Buffer.from(',"data":');
/** The key that follows `data` in what WebSocket clients receive. */
const AFTER_DATA = Buffer.from(',"server_url":');

/** A WebSocket client that loses its connection once and resumes: ten lines of it are what a user writes. */
export class Listener {
  /** Events that came again. */
  repeated = 0;
  /** Events that came after a later one. */
  disordered = 0;
  /** Not, byte for byte, what was published. */
  altered = 0;
  /** Events that it had when it was cut off. */
  cutAfter = 0;
  private lastId: string | undefined;
  private readonly keys = new Set<string>();
  private socket: WebSocket | undefined;

  constructor(
    private readonly url: string,
    private readonly publications: Publications,
  ) {}

  /** Events that came at least once. */
  get received(): number {
    return this.keys.size;
  }

  get isConnected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  async connect(): Promise<void> {
    const resume = this.lastId === undefined ? '' : `&last-event-id=${this.lastId}`;
    const socket = new WebSocket(`${this.url}${resume}`);
    this.socket = socket;
    socket.on('message', (message: Buffer) => this.take(message));
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  }

  /** Loses its connection once it has `cutAt` of the events, and waits for the rest. */
  async follow(events: number, cutAt: number, signal: AbortSignal): Promise<void> {
    await this.until(() => this.received >= cutAt, signal);
    this.socket?.terminate();
    this.cutAfter = this.received;
    await delay(AWAY_MS, undefined, { signal });
    await this.connect();
    await this.until(() => this.received >= events, signal);
  }

  close(): void {
    this.socket?.terminate();
  }

  /** Gives up when nothing has come for a long time. */
  private async until(isReached: () => boolean, signal: AbortSignal): Promise<void> {
    let [seen, seenAt] = [this.received, Date.now()];
    while (!isReached() && Date.now() - seenAt < PATIENCE_MS) {
      await delay(LOOK_EVERY_MS, undefined, { signal });
      if (this.received !== seen) [seen, seenAt] = [this.received, Date.now()];
    }
  }

  private take(message: Buffer): void {
    const { id, identity } = understand(message);
    const found = this.publications.find(identity);
    if (found === undefined) this.altered++;
    else if (this.keys.has(found.key)) this.repeated++;
    else this.keys.add(found.key);
    if (this.lastId !== undefined && isBefore(id, this.lastId)) this.disordered++;
    this.lastId = id;
  }
}

function understand(message: Buffer): { id: string; identity: Identity } {
  const { event, instance, date_time, id } = JSON.parse(message.toString('utf8')) as Record<string, string>;
  const [start, end] = [message.indexOf(DATA), message.lastIndexOf(AFTER_DATA)];
  const data = message.subarray(start + DATA.length, end);
  return {
    id: id ?? '',
    identity: { event: event ?? '', instance: instance ?? '', dateTime: date_time ?? '', data },
  };
}

/** Ids are milliseconds, a hyphen, and a number within them. */
function isBefore(a: string, b: string): boolean {
  const [aTime = 0, aNumber = 0] = a.split('-').map(Number);
  const [bTime = 0, bNumber = 0] = b.split('-').map(Number);
  return aTime - bTime < 0 || (aTime === bTime && aNumber < bNumber);
}
