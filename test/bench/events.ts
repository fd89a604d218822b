import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Sizes of the goals: a text message of about 1.2 KB, an image with its base64 of about 12 KB; and an image whose thumbnail
 * is in byte objects, of about 12 KB, too.
 */
export type EventSize = 'small' | 'large' | 'bytes';

/** Name of the instance with this number. */
export function instanceName(number: number): string {
  return `loja-${number}`;
}

interface MessageEvent {
  instance: string;
  data: {
    key: { id: string };
    message: {
      conversation?: string;
      messageContextInfo: { messageSecret: unknown };
      base64?: string;
    };
    [key: string]: unknown;
  };
  date_time: string;
}

const FIXTURES: Record<EventSize, string> = {
  small: 'messages.upsert.json',
  large: 'messages.upsert.image-lite.json',
  bytes: 'messages.upsert.json',
};

/** Bytes of an image that make an event of 12 KB. */
const IMAGE_BYTES = 7_200;
/** Bytes of a thumbnail that make an event of 12 KB, as an object. */
const THUMBNAIL_BYTES = 1_050;
/** Images are drawn from this many: making a random one for each event would be a benchmark of its own. */
const IMAGES = 64;

/** Before the time of publishing in an event's data, nanoseconds of the machine's monotonic clock. */
export const PUBLISHED_AT = 'benchPublishedAt';

/**
 * Events as the core API publishes them, made from the fixtures, no two alike. What is random in life (ids,
 * secrets, images) is random here, so that compression gains no more than it would there.
 */
export class Events {
  readonly routingKey = 'messages.upsert';
  private readonly event: MessageEvent;
  private readonly images: readonly string[];
  private readonly run = randomBytes(4).toString('hex').toUpperCase();
  private count = 0;

  /** Of as many instances, one after the other; of the fixture's own where there is one only. */
  constructor(
    private readonly size: EventSize,
    private readonly instances = 1,
  ) {
    const file = join(__dirname, '../fixtures', FIXTURES[size]);
    this.event = JSON.parse(readFileSync(file, 'utf8')) as MessageEvent;
    this.images =
      size === 'large'
        ? Array.from({ length: IMAGES }, () => randomBytes(IMAGE_BYTES).toString('base64'))
        : [];
    if (size === 'bytes') this.event.data['thumbnail'] = { ...randomBytes(THUMBNAIL_BYTES) };
  }

  /** The next event; with `publishedAt` its data tells when it was published. */
  next(publishedAt?: bigint): Buffer {
    const { event } = this;
    const { message } = event.data;
    const index = (this.count++).toString(16).toUpperCase().padStart(8, '0');
    event.data.key.id = `3EB0${this.run}${index}`;
    event.date_time = new Date().toISOString();
    if (this.instances > 1) event.instance = instanceName(this.count % this.instances);
    const secret = randomBytes(32);
    if (this.size !== 'large') {
      message.conversation = `Oi, ainda tem o modelo ${randomInt(100_000)} no estoque?`;
      message.messageContextInfo.messageSecret = { ...secret };
    } else {
      message.messageContextInfo.messageSecret = secret.toString('base64');
      message.base64 = this.images[randomInt(IMAGES)] ?? '';
    }
    if (publishedAt !== undefined) event.data[PUBLISHED_AT] = String(publishedAt);
    return Buffer.from(JSON.stringify(event));
  }

  /** Mean size of `count` events, in bytes. */
  static meanBytes(size: EventSize, count = 100): number {
    const events = new Events(size);
    let bytes = 0;
    for (let index = 0; index < count; index++) bytes += events.next().length;
    return bytes / count;
  }
}
