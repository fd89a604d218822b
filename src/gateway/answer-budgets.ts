import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { holderOf, OPERATOR } from '../http-api/guards';
import { HttpError } from '../http-api/http-errors';
import { isKept } from '../http-api/kept-bodies';
import { addressGroup } from '../network/client-address';
import { descriptorLimit, fileLimits } from '../network/descriptors';
import { type BudgetOptions, SharedBudget, type Taking } from '../network/shared-budget';
import { whenAnswered } from './when-answered';

export const LARGE_ANSWER = 262_144;
/** Smaller answers are bounded by the number of connections: what asks for them takes as much. */
const SMALL_ANSWER = 4096;
/** Bytes of large answers that are made and not yet taken: in all, and of one instance, or of one address that showed no key. */
const LARGE_ANSWERS: BudgetOptions = { inAll: 134_217_728, perHolder: 33_554_432 };
const RETRY_AFTER_SECONDS = 5;
const TOO_MUCH_UNREAD = 'Too many large answers are not read yet: read them, and try again';
const TOO_MANY_FILES = 'Too many files are being sent: read them, and try again';

/**
 * Bounds what answers take that are not read: an event has as many bytes as its media, and whoever may ask for it may ask on a
 * hundred connections and read from none. One that is larger than the bound is given alone. A stream is made as fast as it is taken,
 * and holds a descriptor and a piece meanwhile: these are counted by their number. What the operator asks for is not counted.
 */
export function boundAnswers(
  server: FastifyInstance,
  limits = LARGE_ANSWERS,
  streamLimits = fileLimits(descriptorLimit()),
): void {
  const budgets = new AnswerBudgets(limits, streamLimits);
  server.addHook('onSend', async (request, reply, payload) => {
    const taking = budgets.take(request, payload);
    if (taking === undefined) return payload;
    if (taking.kind === 'taken') {
      whenAnswered(reply, taking.release);
      return payload;
    }
    const isStream = payload instanceof Readable;
    // Nobody else closes what is not sent.
    if (isStream) payload.destroy();
    // What was to be sent may be kept for a year.
    reply.header('cache-control', 'no-store');
    throw new HttpError(429, [isStream ? TOO_MANY_FILES : TOO_MUCH_UNREAD], RETRY_AFTER_SECONDS);
  });
}

class AnswerBudgets {
  private readonly streams: SharedBudget;
  private readonly large: SharedBudget;
  /**
   * A connection may wait for sixteen, and a token may have thousands of connections. There is no number in all: a few instances would
   * have it, and everybody asks for such answers.
   */
  private readonly medium: SharedBudget;
  /** Who shows no key may have thousands of addresses. */
  private readonly strangers: SharedBudget;
  /** Where a few addresses hold all of that, each other one still has an answer: a scrape of the metrics, the page to log in. */
  private readonly strangersReserve: SharedBudget;

  constructor(
    private readonly limits: BudgetOptions,
    streamLimits: BudgetOptions,
  ) {
    this.streams = new SharedBudget(streamLimits);
    this.large = new SharedBudget(limits);
    this.medium = new SharedBudget({ ...limits, inAll: Number.POSITIVE_INFINITY });
    const inAll = limits.inAll / 2;
    this.strangers = new SharedBudget({ ...limits, inAll });
    this.strangersReserve = new SharedBudget({ inAll, perHolder: LARGE_ANSWER });
  }

  /** Undefined where the answer is not counted. */
  take(request: FastifyRequest, payload: unknown): Taking | undefined {
    const holder = holderOf(request);
    if (holder === OPERATOR || isKept(payload)) return undefined;
    const asking = holder ?? addressGroup(request.ip);
    if (payload instanceof Readable) return this.streams.take(asking);
    const bytes = bytesOf(payload);
    if (bytes < SMALL_ANSWER) return undefined;
    if (bytes >= LARGE_ANSWER) return this.large.take(asking, Math.min(bytes, this.limits.perHolder));
    return holder === undefined ? this.takeOfStrangers(asking, bytes) : this.medium.take(asking, bytes);
  }

  private takeOfStrangers(asking: string, bytes: number): Taking {
    const taking = this.strangers.take(asking, bytes);
    const isRoomOut = taking.kind === 'refused' && taking.limit === 'all';
    return isRoomOut ? this.strangersReserve.take(asking, bytes) : taking;
  }
}

/** Characters stand for bytes: counting those of a large text would take as long as writing it. */
function bytesOf(payload: unknown): number {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
}
