import type { Pool } from 'undici';
import { toOutcome } from '../../../src/destinations/http/answer';
import { HttpExchange } from '../../../src/destinations/http/exchange';
import type { Outcome } from '../../../src/pipeline/delivery';

const LOOK_MS = 50;

/** As the pipeline makes an attempt: looked at many times a second, and ended by its timeout. */
export async function attempt(
  pool: Pool,
  timeoutMs: number,
  body = '{}',
): Promise<Outcome & { readonly ms: number }> {
  const startedAt = performance.now();
  const exchange = new HttpExchange(
    pool,
    { path: '/', headers: [], body: Buffer.from(body) },
    (ending): Outcome => toOutcome(ending, new Set([400]), Date.now()),
  );
  const sweeper = setInterval(() => {
    exchange.look(performance.now());
    if (performance.now() - startedAt > timeoutMs) exchange.abort('timeout');
  }, LOOK_MS);
  const outcome = await exchange.outcome;
  clearInterval(sweeper);
  return { ...outcome, ms: performance.now() - startedAt };
}
