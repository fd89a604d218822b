import { RelayError } from '../errors';
import { compress } from '../events/compression';
import { counted } from '../plural';
import { LinkSecret } from './link-secret';
import { ReferenceWriter, type ReferenceWriterParts } from './reference-writer';
import { KINDS, type LinkPath, linkUrl } from './signed-link';

/** It is more than all may be, or than its instance may have beside the others. */
export class ReferenceTooLargeError extends RelayError {
  constructor(bytes: number, maxBytes: number) {
    super(
      'REFERENCE_TOO_LARGE',
      `${counted(bytes, 'byte is', 'bytes are')} more than its instance's share of PUSHER_REFERENCE_MAX_BYTES (${maxBytes})`,
    );
  }
}

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
  private readonly writer: ReferenceWriter;

  constructor(private readonly parts: ReferenceWriterParts) {
    this.secret = new LinkSecret(parts);
    this.writer = new ReferenceWriter(parts);
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
    const kept = await this.writer.write({ name: `${KINDS[place.path]}:${id}`, owner, value });
    if (kept === 'full') throw new ReferenceTooLargeError(value.length, maxBytes);
    return { url: linkUrl(place, { id, expires }, secret), expires };
  }
}
