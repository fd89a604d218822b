import { hash } from 'node:crypto';
import { RelayError } from '../errors';
import { compress } from '../events/compression';
import { counted } from '../plural';
import { KEEP_REFERENCE } from '../redis/reference-script';
import { replyCode } from '../redis/reply-error';
import { baseOf, LinkSecret, type ReferenceKeys } from './link-secret';
import { KINDS, type LinkPath, linkUrl } from './signed-link';

export interface ReferenceStoreParts extends ReferenceKeys {
  readonly ttlSeconds: number;
  /** Bytes in all, which instances share. */
  readonly maxBytes: number;
}

/** It is more than all may be, or than its instance may have beside the others. */
export class ReferenceTooLargeError extends RelayError {
  constructor(bytes: number, maxBytes: number) {
    super(
      'REFERENCE_TOO_LARGE',
      `${counted(bytes, 'byte is', 'bytes are')} more than its instance's share of PUSHER_REFERENCE_MAX_BYTES (${maxBytes})`,
    );
  }
}

const KEEP_NAME = hash('sha1', KEEP_REFERENCE);

export interface Reference {
  readonly id: string;
  /** The instance whose share it takes of. */
  readonly owner: string;
  readonly body: Buffer;
}

/** Where a link leads. */
export interface LinkPlace {
  /** Address at which browsers reach the gateway; it may have a path. */
  readonly baseUrl: string;
  readonly path: LinkPath;
}

/** Keeps what is too large for where it is to be sent behind signed links: bounded, shared out among instances, expiring. */
export class ReferenceStore {
  private readonly secret: LinkSecret;

  constructor(private readonly parts: ReferenceStoreParts) {
    this.secret = new LinkSecret(parts);
  }

  /** Keeps it under its id and gives the link. @throws ReferenceTooLargeError, or what Redis says */
  async keep(
    { id, owner, body }: Reference,
    place: LinkPlace,
  ): Promise<{ readonly url: string; readonly expires: number }> {
    const { ttlSeconds, maxBytes } = this.parts;
    // Media is compressed already, and read in parts.
    const value = place.path === 'media' ? body : await compress(body);
    if (value.length > maxBytes) throw new ReferenceTooLargeError(value.length, maxBytes);
    const secret = await this.secret.read();
    const expires = Math.ceil(Date.now() / 1000) + ttlSeconds;
    await this.put(`${KINDS[place.path]}:${id}`, owner, value);
    return { url: linkUrl(place, { id, expires }, secret), expires };
  }

  private async put(name: string, owner: string, value: string | Buffer): Promise<void> {
    const { ttlSeconds, maxBytes } = this.parts;
    const args = [name, owner, value.length, maxBytes, ttlSeconds * 1000];
    const ask = (...more: readonly (string | Buffer)[]): Promise<unknown> => this.run([...args, ...more]);
    let answer = await ask(value);
    // What is large is not sent again and again.
    while (answer === 'more' || answer === 'room') answer = await (answer === 'more' ? ask() : ask(value));
    if (answer === 'full') throw new ReferenceTooLargeError(value.length, maxBytes);
  }

  /** By its name: it is as long as many a picture. */
  private async run(args: readonly (string | number | Buffer)[]): Promise<unknown> {
    const { redis } = this.parts;
    try {
      return await redis.evalsha(KEEP_NAME, 1, baseOf(this.parts), ...args);
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error;
      return redis.eval(KEEP_REFERENCE, 1, baseOf(this.parts), ...args);
    }
  }
}
