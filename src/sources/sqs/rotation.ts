import { BATCH } from './api';
import { DueHeap } from './due-heap';

/**
 * How a poll ended: with as many messages as were asked for, with fewer, with none; without an answer; or refused, as
 * the queue does not exist or the relay may not.
 */
export type PollResult = 'full' | 'some' | 'none' | 'failed' | 'denied';

export interface RotationOptions {
  /** Polls under way at once. */
  readonly maxPolls: number;
  readonly maxMessages: number;
  /** Of a long poll of a queue that has a poll to itself. */
  readonly waitSeconds: number;
}

export interface Poll {
  readonly queueUrl: string;
  readonly max: number;
  readonly waitSeconds: number;
}

interface State {
  readonly queueUrl: string;
  polls: number;
  /** Polls that may be under way at once. */
  wanted: number;
  dueAt: number;
  idleMs: number;
  /** Answers without a message, one after the other, that did not wait for one. */
  hasty: number;
  failures: number;
  /** The service has answered about it. */
  isKnown: boolean;
}

/** Polls of idle queues, and messages that these may bring, as a share of all. */
const IDLE_SHARE = 0.5;
/** A queue in rotation is asked with a wait of its own: without any, SQS looks at some of its servers only. */
const ROTATION_WAIT_SECONDS = 1;
const IDLE_FIRST_MS = 500;
/** The longest that a queue of a rotation which is not too long is not polled. */
const IDLE_LAST_MS = 20_000;
/** An answer without a message that comes sooner did not wait for one, whatever was asked. */
const SOON_MS = 500;
const SOON_FIRST_MS = 100;
/** The longest pause after it: calls are billed. */
const SOON_LAST_MS = 1000;
const FAILED_FIRST_MS = 200;
const FAILED_LAST_MS = 5_000;
/** A refusal stands until a person does something: thousands of refused queues are no thousands of calls a second. */
const DENIED_LAST_MS = 60_000;

const NOBODY = { state: undefined, begunAt: 0 };

/**
 * Which queue is polled next, and how. As long as there are few queues each has a long poll of its own; otherwise the
 * idle ones take turns, the longer idle the rarer. A queue that fills whole batches gets more polls.
 */
export class Rotation {
  private readonly states = new Map<string, State>();
  private readonly busy = new Set<State>();
  private readonly owners = new WeakMap<Poll, { readonly state: State; readonly begunAt: number }>();
  private polls = 0;
  private idlePolls = 0;
  /** Idle queues without a poll. */
  private readonly idle = new DueHeap<State>();

  constructor(private readonly options: RotationOptions) {}

  get size(): number {
    return this.states.size;
  }

  get pollsUnderWay(): number {
    return this.polls;
  }

  add(queueUrl: string, now: number): void {
    if (this.states.has(queueUrl)) return;
    const state = {
      queueUrl,
      polls: 0,
      wanted: 1,
      dueAt: now,
      idleMs: 0,
      hasty: 0,
      failures: 0,
      isKnown: false,
    };
    this.states.set(queueUrl, state);
    this.idle.set(state, now);
  }

  remove(queueUrl: string): void {
    const state = this.states.get(queueUrl);
    if (state === undefined) return;
    this.markIdle(state);
    this.idlePolls -= state.polls;
    this.idle.delete(state);
    this.states.delete(queueUrl);
  }

  /** The next poll, of at most `free` messages, begun with this call; undefined where none is due. */
  begin(free: number, now: number): Poll | undefined {
    if (free < 1 || this.polls >= this.options.maxPolls) return undefined;
    // The idle ones first: they are few at a time, and the others would leave them nothing.
    const state = this.nextIdle(now) ?? this.nextBusy(now);
    if (state === undefined) return undefined;
    const isBusy = this.busy.has(state);
    state.polls++;
    this.polls++;
    if (!isBusy) this.idlePolls++;
    const poll = {
      queueUrl: state.queueUrl,
      max: Math.min(free, isBusy ? BATCH : this.idleAsk),
      waitSeconds: this.waitSecondsOf(state),
    };
    this.owners.set(poll, { state, begunAt: now });
    return poll;
  }

  end(poll: Poll, result: PollResult, now: number): void {
    this.polls--;
    const { state, begunAt } = this.owners.get(poll) ?? NOBODY;
    // The queue left meanwhile; another of its name may have joined.
    if (state === undefined || this.states.get(poll.queueUrl) !== state) return;
    state.polls--;
    if (!this.busy.has(state)) this.idlePolls--;
    if (result === 'full' || result === 'some') this.markBusy(state);
    // A poll that failed says nothing about the queue: only an answer without a message makes a busy one idle.
    else if (result === 'none' && state.polls === 0) this.markIdle(state);
    const isHasty = result === 'none' && state.isKnown && now - begunAt < SOON_MS;
    if (!isHasty) state.hasty = 0;
    else if (state.polls === 0) state.hasty++;
    state.idleMs = result === 'none' ? this.idleMsAfter(state) : 0;
    this.schedule(state, result, now);
  }

  /** The service answers again: what failed is not waited for any longer. */
  retryNow(now: number): void {
    for (const state of this.states.values()) {
      if (state.failures === 0) continue;
      state.dueAt = now;
      if (!this.busy.has(state) && state.polls === 0) this.idle.set(state, now);
    }
  }

  /** How long until a poll may be due; undefined where only the end of another one can make it so. */
  dueInMs(now: number): number | undefined {
    let dueAt = this.idle.nextAt;
    for (const state of this.busy) {
      if (dueAt <= now) break;
      if (state.polls < state.wanted) dueAt = Math.min(dueAt, state.dueAt);
    }
    return dueAt === Number.POSITIVE_INFINITY ? undefined : Math.max(0, dueAt - now);
  }

  private schedule(state: State, result: PollResult, now: number): void {
    const isAnswer = result !== 'failed' && result !== 'denied';
    state.failures = isAnswer ? 0 : state.failures + 1;
    state.isKnown = isAnswer;
    if (result === 'full') state.wanted = Math.min(state.wanted * 2, this.options.maxPolls);
    else if (result !== 'some') state.wanted = 1;
    const longestMs = result === 'denied' ? DENIED_LAST_MS : FAILED_LAST_MS;
    const pauseMs = isAnswer ? state.idleMs : backOff(FAILED_FIRST_MS, longestMs, state.failures);
    state.dueAt = now + pauseMs;
    if (!this.busy.has(state) && state.polls === 0) this.idle.set(state, state.dueAt);
  }

  /** Before an idle queue is asked again: in turns with others, or as the service does not wait as it was asked to. */
  private idleMsAfter({ idleMs, hasty }: State): number {
    if (this.isRotating) return Math.min(IDLE_LAST_MS, Math.max(IDLE_FIRST_MS, idleMs * 2));
    // One alone is that of a queue which was emptied just now.
    return hasty > 1 ? Math.min(SOON_LAST_MS, Math.max(SOON_FIRST_MS, idleMs * 2)) : 0;
  }

  private markBusy(state: State): void {
    if (this.busy.has(state)) return;
    this.busy.add(state);
    this.idle.delete(state);
    this.idlePolls -= state.polls;
  }

  private markIdle(state: State): void {
    if (!this.busy.delete(state)) return;
    this.idlePolls += state.polls;
  }

  /** The idle queue that is due longest. */
  private nextIdle(now: number): State | undefined {
    return this.idlePolls < this.idleLimit ? this.idle.take(now) : undefined;
  }

  /** The busy one of those that are due with the fewest polls under way; of several the one polled longest ago. */
  private nextBusy(now: number): State | undefined {
    let next: State | undefined;
    for (const state of this.busy) {
      if (state.polls >= state.wanted || state.dueAt > now) continue;
      if (next === undefined || state.polls < next.polls) next = state;
      if (next.polls === 0) break;
    }
    if (next !== undefined) {
      this.busy.delete(next);
      this.busy.add(next);
    }
    return next;
  }

  /** More queues than long polls that could stand. */
  private get isRotating(): boolean {
    return this.states.size > this.idleLimit;
  }

  /** Polls that wait for something to happen, at most. */
  private get idleLimit(): number {
    return Math.max(1, Math.floor(this.options.maxPolls * IDLE_SHARE));
  }

  /** Messages that such a poll asks for: together they leave room to those of busy queues. */
  private get idleAsk(): number {
    const standing = Math.min(this.states.size, this.idleLimit);
    const each = Math.floor((this.options.maxMessages * IDLE_SHARE) / standing);
    return Math.max(1, Math.min(BATCH, each));
  }

  private waitSecondsOf(state: State): number {
    // At once, so that it is soon known whether it works.
    if (!state.isKnown) return 0;
    const { waitSeconds } = this.options;
    return this.isRotating ? Math.min(ROTATION_WAIT_SECONDS, waitSeconds) : waitSeconds;
  }
}

function backOff(firstMs: number, lastMs: number, times: number): number {
  return Math.min(lastMs, firstMs * 2 ** Math.min(times - 1, 10)) * (0.8 + Math.random() * 0.4);
}
