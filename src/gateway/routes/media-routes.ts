import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { fromStore } from '../../errors';
import { HttpError, notFound } from '../../http-api/http-errors';
import { describe } from '../../http-api/openapi';
import type { ReferenceReader, StoredMedia } from '../../references/reference-reader';
import { type ByteRange, rangeOf } from './byte-range';

interface OfLink {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly expires?: string; readonly signature?: string };
}

/** Ids of what is kept as media: a link to anything else is none of these. */
const MEDIA_ID = /^media_/;
/** What browsers may show by themselves: no type that can hold a script. */
const SHOWN = /^(?:image\/(?!svg)|audio\/|video\/|application\/pdf(?:;|$))/i;

const RETRY_AFTER_SECONDS = 2;

/** Media behind `normalise.media`. No key: whoever has the link may read that until it expires. */
export function mediaRoutes(
  server: FastifyInstance,
  references: Pick<ReferenceReader, 'faultOf' | 'media'>,
): void {
  server.get<OfLink>(
    '/media/:id',
    {
      schema: {
        ...describe('delivery', 'Media in place of which an event has a link, by that link; takes Range'),
        security: [],
      },
    },
    async ({ params: { id }, query, headers: { range } }, reply) => {
      const { expires = '', signature = '' } = query;
      const fault = MEDIA_ID.test(id)
        ? await fromStore(references.faultOf({ id, expires: Number(expires) }, String(signature)))
        : 'forged';
      if (fault === 'forged') throw new HttpError(403, ['The link is not one of ours: take it as it came']);
      if (fault === 'expired') throw new HttpError(410, ['The link has expired']);
      const media = await fromStore(references.media(id));
      if (media === undefined) throw notFound('The media is kept no longer');
      if (media === 'busy')
        throw new HttpError(429, ['Too many media are being read: try again'], RETRY_AFTER_SECONDS);
      return send(asMedia(reply, media.mimetype), media, rangeOf(range, media.length));
    },
  );
}

/** Somebody at WhatsApp chose type and bytes: nothing of them may act in the name of the gateway. */
function asMedia(reply: FastifyReply, mimetype: string): FastifyReply {
  return reply
    .type(mimetype)
    .header('content-disposition', SHOWN.test(mimetype) ? 'inline' : 'attachment')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'private, no-store')
    .header('referrer-policy', 'no-referrer')
    .header('accept-ranges', 'bytes');
}

function send(reply: FastifyReply, media: StoredMedia, range: ByteRange): FastifyReply {
  const { length } = media;
  switch (range.kind) {
    case 'whole':
      return stream(reply, media, { first: 0, last: length - 1 });
    case 'part': {
      const { first, last } = range;
      reply.code(206).header('content-range', `bytes ${first}-${last}/${length}`);
      return stream(reply, media, range);
    }
    case 'none':
      return reply.code(416).header('content-range', `bytes */${length}`).send();
  }
}

/** As fast as it is taken: nothing of it is held for a slow reader. */
function stream(
  reply: FastifyReply,
  media: StoredMedia,
  { first, last }: { readonly first: number; readonly last: number },
): FastifyReply {
  const isAsked = reply.request.method !== 'HEAD';
  return reply
    .header('content-length', last - first + 1)
    .send(Readable.from(isAsked ? media.bytes(first, last) : [], { objectMode: false }));
}
