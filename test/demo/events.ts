import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(__dirname, '../fixtures');
/** What other transports carry, and the one event that the core API never sends to a broker. */
const NOT_ON_THE_BROKER = /^(transport\.|error\.http-only)/;
/** The values that make two events of a fixture different ones. */
const FIXTURE_INSTANCE = '"loja-centro"';
const FIXTURE_TIME = '"2025-11-03T14:22:07.415Z"';
const MESSAGE_ID = /("(?:id|keyId)"):"[0-9A-F]{20,32}"/g;

/** One with a dot: the documented routing key must not fall apart there. */
/** The instance that gets a webhook of its own while events flow. */
export const INSTANCE = 'bot-01';
export const INSTANCES = ['loja-centro', 'suporte.sp', INSTANCE] as const;

/** One event as the core API puts it on the wire. */
export interface DemoEvent {
  readonly event: string;
  readonly instance: string;
  readonly dateTime: string;
  readonly data: Buffer;
  readonly body: Buffer;
}

/** The fixtures in turn, each time for another instance, with a time and message ids of their own. */
export class EventSupply {
  private readonly templates = readdirSync(FIXTURES)
    .filter((file) => file.endsWith('.json') && !NOT_ON_THE_BROKER.test(file))
    .sort()
    .map((file) => JSON.stringify(JSON.parse(readFileSync(join(FIXTURES, file), 'utf8'))));
  private drawn = 0;
  private lastTime = 0;

  get samples(): number {
    return this.templates.length;
  }

  next(): DemoEvent {
    const round = Math.floor(this.drawn / this.templates.length);
    const template = this.templates[this.drawn % this.templates.length] ?? '';
    const instance = INSTANCES[(this.drawn + round) % INSTANCES.length] ?? INSTANCES[0];
    const dateTime = this.nextTime();
    this.drawn++;
    const body = template
      .replaceAll(FIXTURE_INSTANCE, `"${instance}"`)
      .replaceAll(FIXTURE_TIME, `"${dateTime}"`)
      .replace(MESSAGE_ID, (_, key) => `${key}:"3EB0${randomBytes(8).toString('hex').toUpperCase()}"`);
    const { event, data } = JSON.parse(body) as { event: string; data: unknown };
    return { event, instance, dateTime, data: Buffer.from(JSON.stringify(data)), body: Buffer.from(body) };
  }

  /** Never the same twice. Local wall time with a false `Z`, as the core API writes it. */
  private nextTime(): string {
    const now = new Date();
    const local = now.getTime() - now.getTimezoneOffset() * 60_000;
    this.lastTime = Math.max(local, this.lastTime + 1);
    return new Date(this.lastTime).toISOString();
  }
}
