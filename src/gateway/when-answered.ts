import type { FastifyReply } from 'fastify';

/**
 * Calls `end`, which may be called again, once an answer has been taken or its connection is gone. What the dashboard asks its own
 * gateway for goes over no connection, so that neither request nor answer ever closes: the answer only finishes.
 */
export function whenAnswered({ raw: response }: FastifyReply, end: () => void): void {
  if (response.destroyed) end();
  else response.once('close', end).once('finish', end);
}
