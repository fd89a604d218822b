import { LRUCache } from 'lru-cache';
import { errorCode } from '../errors';
import type { Envelope } from '../events/envelope';
import { type Media, mediaIn, withMediaLink } from '../events/normalise-media';
import { packed } from './packed-media';
import type { ReferenceStore } from './reference-store';

export interface MediaLinksParts {
  readonly store: Pick<ReferenceStore, 'keep'>;
  /** Public address of the gateway; undefined: there are no links. */
  readonly baseUrl: string | undefined;
  readonly ttlSeconds: number;
}

interface Kept {
  readonly url: string;
  readonly expires: number;
}

/** Events whose media is kept under one link for all destinations and attempts. */
const MAX_LINKS = 10_000;
/** What can never be kept: the event goes out as it came. */
const NEVER = 'REFERENCE_TOO_LARGE';

/** Puts links in place of media. */
export class MediaLinks {
  private readonly links: LRUCache<string, Promise<Kept>>;

  constructor(private readonly parts: MediaLinksParts) {
    // A link that is sent works for half of its time at the least.
    this.links = new LRUCache({ max: MAX_LINKS, ttl: (parts.ttlSeconds * 1000) / 2 });
  }

  /** At once where there is no media. Rejects where Redis does not take it. */
  prepare(envelope: Envelope): Envelope | Promise<Envelope> {
    const { baseUrl } = this.parts;
    const media = baseUrl === undefined ? undefined : mediaIn(envelope);
    if (baseUrl === undefined || media === undefined) return envelope;
    const kept = this.keep(envelope, media, baseUrl);
    if (kept === undefined) return envelope;
    return kept.then(
      ({ url, expires }) =>
        withMediaLink(envelope, media, { url, expires: new Date(expires * 1000).toISOString() }),
      (error: unknown) => {
        if (errorCode(error) === NEVER) return envelope;
        throw error;
      },
    );
  }

  /** Undefined where it is no media. */
  private keep({ id, instance, body }: Envelope, media: Media, baseUrl: string): Promise<Kept> | undefined {
    const known = this.links.get(id);
    if (known !== undefined) return known;
    const stored = packed(body, media);
    if (stored === undefined) return undefined;
    const reference = { id: `media_${id}`, owner: instance, body: stored };
    const kept = this.parts.store.keep(reference, { baseUrl, path: 'media' });
    this.links.set(id, kept);
    kept.catch(() => this.links.delete(id));
    return kept;
  }
}
