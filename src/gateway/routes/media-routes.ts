import { bulkhead, isBulkheadRejectedError } from 'cockatiel';
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

/** Media that is read at once, and requests that may wait for that: each is read whole, whatever part of it is asked for. */
const READS = { atOnce: 4, waiting: 64 };
const RETRY_AFTER_SECONDS = 2;

/** Media behind `normalise.media`. No key: whoever has the link may read that until it expires. */
export function mediaRoutes(
  server: FastifyInstance,
  references: Pick<ReferenceStore, 'faultOf' | 'read'>,
): void {
  const reads = sharedReads((id) => fromStore(references.read(id)));
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
      const stored = await reads(id);
      if (stored === undefined) throw notFound('The media is kept no longer');
      const { mimetype, bytes } = unpacked(stored);
      return send(asMedia(reply, mimetype), bytes, rangeOf(range, bytes.length));
    },
  );
}

/** Those who ask for the same at the same time share one reading: whoever has one link has no more than that. */
function sharedReads<T>(read: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const places = bulkhead(READS.atOnce, READS.waiting);
  const underWay = new Map<string, Promise<T>>();
  const begin = async (id: string): Promise<T> => {
    try {
      return await places.execute(() => read(id));
    } catch (error) {
      if (!isBulkheadRejectedError(error)) throw error;
      throw new HttpError(429, ['Too many media are being read: try again'], RETRY_AFTER_SECONDS);
    } finally {
      underWay.delete(id);
    }
  };
  return (id) => {
    const reading = underWay.get(id) ?? begin(id);
    underWay.set(id, reading);
    return reading;
  };
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
