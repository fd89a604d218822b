import { setTimeout as delay } from 'node:timers/promises';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import type { Receiver } from '../receivers/receiver';
import { figure, heading, verdict } from '../report';

const WORKERS = 4;
const RATE = { count: 200, seconds: 2 };
/** From when all workers are busy. */
const MEASURED_MS = 60_000;
const SETTLE_MS = 4000;
/** What is allowed at once comes at once: a minute is measured from one such burst to another. */
const QUIET_MS = 200;
const LOOK_MS = 20;
const PATIENCE_MS = 3000;
/** Part of the count that may be missing, or be too much. */
const WITHIN = 0.02;

/** A backlog, and workers that share a rate limit. */
export async function measureRate(bench: Bench): Promise<void> {
  const { print, broker, receiver, redis } = bench;
  const perMs = RATE.count / (RATE.seconds * 1000);
  const events = new Events('small');
  await broker.renewQueue();
  const count = Math.ceil(perMs * (MEASURED_MS + 4 * SETTLE_MS));
  for (let index = 0; index < count; index++) await broker.publish(events.routingKey, events.next());
  await broker.confirmed();
  const limit = { WEBHOOK_GLOBAL_RATE_LIMIT: JSON.stringify(RATE), RABBITMQ_PREFETCH: '100' };
  const workers = [];
  for (let index = 0; index < WORKERS; index++)
    workers.push(await startContestant(bench, 'relay', receiver.url, limit));
  await delay(SETTLE_MS);
  bench.progress(`rate: ${WORKERS} workers for ${MEASURED_MS / 1000} s`);
  const before = await nextBurst(receiver);
  await delay(MEASURED_MS);
  const after = await nextBurst(receiver);
  for (const worker of workers) await worker.stop();
  await redis.clear();
  const [delivered, tookMs] = [after.count - before.count, after.at - before.at];
  const part = delivered / (perMs * tookMs);
  heading(
    print,
    `Rate limit of ${RATE.count} in ${RATE.seconds} s, ${WORKERS} workers with a backlog, a minute`,
  );
  figure(print, 'delivered', `${delivered} in ${(tookMs / 1000).toFixed(1)} s`);
  verdict(print, { what: 'part of the count', value: part, atLeast: 1 - WITHIN });
  verdict(print, { what: 'part of the count', value: part, atMost: 1 + WITHIN });
}

/** When the next burst begins, and how many came before it; the present moment where none is seen. */
async function nextBurst(receiver: Receiver): Promise<{ readonly count: number; readonly at: number }> {
  const deadline = performance.now() + PATIENCE_MS;
  let count = await receiver.received();
  let changedAt = performance.now();
  for (;;) {
    await delay(LOOK_MS);
    const [now, at] = [await receiver.received(), performance.now()];
    if (at > deadline || (now > count && at - changedAt >= QUIET_MS)) return { count, at };
    if (now > count) [count, changedAt] = [now, at];
  }
}
