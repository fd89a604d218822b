import { randomBytes } from 'node:crypto';
import { asError, errorText, StoreUnavailableError } from '../errors';
import { counted, plural } from '../plural';
import { monotonicMs } from '../time/monotonic';
import { DONE_BEFORE, type OnceCall, onceCall } from './once';
import type { RelayRedis } from './relay-redis';
import { isReplyError, replyCode } from './reply-error';

export interface OnceWriterParts {
  readonly redis: RelayRedis;
  /** The hash of numbers is the writer's own: this and its name. */
  readonly sentPrefix: string;
  /** `REDIS_WAIT_REPLICAS`: how many replicas must have what was written. */
  readonly replicas: number;
}

/** A script call, numbered by `OnceWriter.nextNumber`, and sent until it is confirmed. */
export interface PreparedCall extends OnceCall {
  /** It may have reached Redis: what became of it is not known. */
  wasSent: boolean;
}

/** `reply` is undefined where the call took effect when it was sent before. */
export type WriteResult =
  | { readonly ok: true; readonly reply: unknown }
  | { readonly ok: false; readonly error: Error };

interface Asked {
  readonly results: readonly WriteResult[];
  /** Of each call, whether it may have reached Redis before it was sent for the last time. */
  readonly wereSent: readonly boolean[];
}

type Reply = PromiseSettledResult<unknown>;

const REPLICAS_MS = 2000;
/** Rounds of asking again: a server that stops over and over is doubted for no longer. */
const MAX_ROUNDS = 5;
/** The numbers of a process that is gone stay for this long. */
const SENT_SECONDS = 86_400;
/** For how long a network may still bring what was sent over a connection that was given up. */
const LATE_MS = 900_000;
/** Numbers whose late sending is guarded against; beyond this the oldest are given up early. */
const MAX_LATE = 10_000;
/** Numbers given up in one command. */
const FORGET_AT_ONCE = 1000;

/**
 * Sends script calls so that each takes effect exactly once, however often it is sent again after an answer was lost: a
 * call claims its number within the script itself. No MULTI is used, as a full Redis refuses every one of them; a call is
 * atomic, and none depends on another.
 */
export class OnceWriter {
  private readonly sentKey: string;
  private last = 0;
  /** Confirmed, and not needed any more. */
  private done: number[] = [];
  /** Confirmed after having been sent more than once. */
  private readonly late: { readonly number: number; readonly until: number }[] = [];

  constructor(private readonly parts: OnceWriterParts) {
    this.sentKey = `${parts.sentPrefix}:${randomBytes(9).toString('base64url')}`;
  }

  /** The number of a new call. */
  nextNumber(): number {
    return ++this.last;
  }

  /** @throws StoreUnavailableError when replicas do not confirm in time; sent again, what was stored is confirmed then */
  async write(calls: readonly PreparedCall[]): Promise<readonly WriteResult[]> {
    const { stream } = this.parts.redis;
    const { results, wereSent } = await this.ask(calls);
    // What took effect is not stored until replicas have it.
    noteSent(calls, results);
    if (this.parts.replicas > 0 && results.some(({ ok }) => ok)) await this.untilReplicated(stream);
    for (const [index, { number }] of calls.entries())
      if (results[index]?.ok) this.confirm(number, wereSent[index] === true);
    return results;
  }

  /** What was answered while the server is in doubt is asked again afterwards: done before means that it is there. */
  private async ask(calls: readonly PreparedCall[]): Promise<Asked> {
    const { doubt } = this.parts.redis;
    let wereSent = calls.map(({ wasSent }) => wasSent);
    let results: readonly WriteResult[] = await this.send(calls);
    for (let round = 0; round < MAX_ROUNDS && doubt.isRaised && results.some(({ ok }) => ok); round++) {
      wereSent = noteSent(calls, results);
      await doubt.over();
      const before = results;
      // Asked again, a call does not say any more what it did.
      results = (await this.send(calls)).map((result, index) => {
        const known = before[index];
        return result.ok && result.reply === undefined && known?.ok ? known : result;
      });
    }
    return { results, wereSent };
  }

  /** One by one in one turn, which leaves by one write (relay-redis.ts): a pipeline of ioredis takes 50 µs to make. */
  private async send(calls: readonly PreparedCall[]): Promise<WriteResult[]> {
    const { redis } = this.parts;
    const commands = redis as unknown as Record<string, (args: readonly unknown[]) => Promise<unknown>>;
    // None is sent before all are known to be defined.
    const ready = calls.map((call) => onceCall(redis, call, this.sentKey));
    const sent = ready.map(({ name, args }) => commands[name]?.(args));
    const forgotten = this.takeForgettable();
    if (forgotten.length > 0) sent.push(redis.hdel(this.sentKey, ...forgotten.map(String)));
    sent.push(redis.expire(this.sentKey, SENT_SECONDS));
    const replies = await Promise.allSettled(sent);
    if (replies.at(-1)?.status === 'rejected') this.done.push(...forgotten);
    return calls.map((_, index) => resultOf(replies[index]));
  }

  /** WAIT speaks of what its own connection wrote: an answer on another one would mean nothing. */
  private async untilReplicated(stream: RelayRedis['stream']): Promise<void> {
    const { redis, replicas } = this.parts;
    const isSame = (): boolean => redis.stream === stream && redis.status === 'ready';
    const count = isSame() ? await redis.wait(replicas, REPLICAS_MS) : 0;
    if (count >= replicas && isSame()) return;
    throw new StoreUnavailableError(
      `${count} of ${counted(replicas, 'replica')} ${plural(count, 'has', 'have')} it (REDIS_WAIT_REPLICAS): it does not count as stored yet`,
    );
  }

  private confirm(number: number, wasRepeated: boolean): void {
    if (wasRepeated) this.late.push({ number, until: monotonicMs() + LATE_MS });
    else this.done.push(number);
  }

  private takeForgettable(): number[] {
    const now = monotonicMs();
    for (let first = this.late[0]; first !== undefined; first = this.late[0]) {
      if (first.until > now && this.late.length <= MAX_LATE) break;
      this.done.push(first.number);
      this.late.shift();
    }
    return this.done.splice(0, FORGET_AT_ONCE);
  }
}

/** A refusal says for certain that a call had no effect; of what was sent before it says nothing. */
function noteSent(calls: readonly PreparedCall[], results: readonly WriteResult[]): boolean[] {
  return calls.map((call, index) => {
    const result = results[index];
    call.wasSent ||= result?.ok !== false || !isReplyError(result.error);
    return call.wasSent;
  });
}

function resultOf(reply: Reply | undefined): WriteResult {
  if (reply?.status !== 'fulfilled') return { ok: false, error: asError(reply?.reason) };
  return { ok: true, reply: reply.value === DONE_BEFORE ? undefined : reply.value };
}

/** Why Redis did not take a write, in its own words where it has said so. */
export function refusalOf(error: Error): string {
  return replyCode(error) === undefined ? errorText(error) : `Redis refused: ${errorText(error)}`;
}
