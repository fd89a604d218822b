import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RetryStore } from '../retry/retry-store';
import { BoardAdapter } from './board-adapter';

export interface JobBoardParts {
  readonly store: Pick<RetryStore, 'queue'>;
  /** Ends the request of somebody who may not see it. */
  readonly guard: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export const JOB_BOARD = '/queues';
/** Its pages have styles in them; nothing else is more than ours may. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'self'",
  "form-action 'none'",
].join('; ');
/**
 * Bull Board over the retry queue, to look at single jobs. It changes nothing: what it removed or repeated would be counted by
 * no audit. Its code is loaded with the gateway; a worker does without.
 */
export async function jobBoard(server: FastifyInstance, { store, guard }: JobBoardParts): Promise<void> {
  const [{ createBullBoard }, { BullMQAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
  ]);
  const adapted = (queue: RetryStore['queue']): InstanceType<typeof BullMQAdapter> => {
    const adapter = new BullMQAdapter(queue, { readOnlyMode: true });
    adapter.setFormatter('data', withoutBody);
    return adapter;
  };
  const serverAdapter = new BoardAdapter(JOB_BOARD);
  let queue = store.queue;
  const board = createBullBoard({
    queues: [adapted(queue)],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Evolution Relay', hideRedisDetails: true } },
  });
  await server.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      reply.header('content-security-policy', POLICY);
      const ended = await guard(request, reply);
      // Another queue is opened where the first question to Redis failed.
      if (queue !== store.queue) {
        queue = store.queue;
        board.replaceQueues([adapted(queue)]);
      }
      return ended;
    });
    serverAdapter.addTo(scope);
  });
}

/** It is compressed, and may be large. */
function withoutBody(data: unknown): unknown {
  return typeof data === 'object' && data !== null ? { ...data, b: undefined } : data;
}
