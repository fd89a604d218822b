import { createHmac, timingSafeEqual } from 'node:crypto';

/** A link to a kept event: whoever has it may read that event until it expires, and nothing else. */
export interface Link {
  readonly id: string;
  /** Epoch seconds. */
  readonly expires: number;
}

export type LinkFault = 'forged' | 'expired';

/** What a link leads to: an event, or media. */
export type LinkPath = 'events' | 'media';

/** What keys of it are called in the store. */
export const KINDS: Readonly<Record<LinkPath, string>> = { events: 'event', media: 'media' };

export function linkUrl(
  { baseUrl, path }: { readonly baseUrl: string; readonly path: LinkPath },
  { id, expires }: Link,
  secret: Buffer,
): string {
  const base = baseUrl.replace(/\/$/, '');
  const signature = sign({ id, expires }, secret);
  return `${base}/${path}/${encodeURIComponent(id)}?expires=${expires}&signature=${signature}`;
}

/** What is wrong with a link; undefined where nothing is. @param now epoch milliseconds */
export function linkFault(link: Link, signature: string, secret: Buffer, now: number): LinkFault | undefined {
  const expected = Buffer.from(sign(link, secret));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return 'forged';
  return link.expires * 1000 < now ? 'expired' : undefined;
}

function sign({ id, expires }: Link, secret: Buffer): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([id, expires]))
    .digest('base64url');
}
