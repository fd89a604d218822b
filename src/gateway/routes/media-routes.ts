import type { FastifyInstance, FastifyReply } from 'fastify';
import { fromStore } from '../../errors';
import { HttpError, notFound } from '../../http-api/http-errors';
import { describe } from '../../http-api/openapi';
import { unpacked } from '../../references/media-links';
import type { ReferenceStore } from '../../references/reference-store';
import { type ByteRange, rangeOf } from './byte-range';

interface OfLink {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly expires?: string; readonly signature?: string };
}

/** Ids of what is kept as media: a link to anything else is none of these. */
const MEDIA_ID = /^media_/;
/** What browsers may show by themselves: no type that can hold a script. */
const SHOWN = /^(?:image\/(?!svg)|audio\/|video\/|application\/pdf(?:;|$))/i;

/** Media behind `normalise.media`. No key: who has the link may read that until it expires. */
export function mediaRoutes(server: FastifyInstance, references: ReferenceStore): void {
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
      const stored = await fromStore(references.read(id));
      if (stored === undefined) throw notFound('The media is kept no longer');
      const { mimetype, bytes } = unpacked(stored);
      return send(asMedia(reply, mimetype), bytes, rangeOf(range, bytes.length));
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

function send(reply: FastifyReply, bytes: Buffer, range: ByteRange): FastifyReply {
  switch (range.kind) {
    case 'whole':
      return reply.send(bytes);
    case 'part': {
      const { first, last } = range;
      return reply
        .code(206)
        .header('content-range', `bytes ${first}-${last}/${bytes.length}`)
        .send(bytes.subarray(first, last + 1));
    }
    case 'none':
      return reply.code(416).header('content-range', `bytes */${bytes.length}`).send();
  }
}
