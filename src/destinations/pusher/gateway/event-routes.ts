import type { FastifyInstance } from 'fastify';
import { HttpError, notFound } from '../../../http-api/http-errors';
import { describe } from '../../../http-api/openapi';
import type { ReferenceReader } from '../../../references/reference-reader';

interface OfLink {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly expires?: string; readonly signature?: string };
}

const RETRY_AFTER_SECONDS = 2;

/** The full event behind a reference. No key: whoever has the link may read that one event until it expires. */
export function eventRoutes(
  server: FastifyInstance,
  references: Pick<ReferenceReader, 'faultOf' | 'event'>,
): void {
  server.get<OfLink>(
    '/events/:id',
    {
      schema: {
        ...describe('pusher', 'The full event behind a reference, by its signed link'),
        security: [],
      },
    },
    async ({ params: { id }, query: { expires = '', signature = '' } }, reply) => {
      const fault = await references.faultOf({ id, expires: Number(expires) }, String(signature));
      if (fault === 'forged') throw new HttpError(403, ['The link is not one of ours: take it as it came']);
      if (fault === 'expired') throw new HttpError(410, ['The link has expired']);
      const body = await references.event(id);
      if (body === undefined) throw notFound('The event is kept no longer');
      if (body === 'busy')
        throw new HttpError(429, ['Too many events are being read: try again'], RETRY_AFTER_SECONDS);
      return reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'private, no-store')
        .header('referrer-policy', 'no-referrer')
        .send(body);
    },
  );
}
