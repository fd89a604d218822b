import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { MalformedEventError } from '../../errors';
import { monotonicMs } from '../../time/monotonic';
import { type Claim, type ClaimDownloader, unavailable, type Verdict, verdictOf } from './claim-check';
import type { ClaimHosts } from './claim-hosts';
import type { ClaimRoom } from './claim-room';
import { ClaimTurns, type TurnRequest } from './claim-turns';

export interface ClaimDeskParts {
  readonly downloader: ClaimDownloader;
  readonly room: ClaimRoom;
  readonly hosts: ClaimHosts;
  /** Pauses between tries while the message is held. */
  readonly pausesMs?: readonly number[];
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** A message whose file is wanted. */
export interface ClaimJob {
  readonly claim: Claim;
  readonly queueUrl: string;
  readonly receiveCount: number;
  /** Since the message was sent; undefined where that is not known. */
  readonly ageMs: number | undefined;
}

/**
 * The whole event, or why it can never be had: turn and room are held until `release` is called. Or how long the
 * message is to go back for.
 */
export type ClaimResult =
  | { readonly kind: 'fetched'; readonly body: Buffer; readonly release: () => void }
  | { readonly kind: 'flawed'; readonly error: MalformedEventError; readonly release: () => void }
  | { readonly kind: 'later'; readonly afterSeconds: number };

const PAUSES_MS = [1000, 3000];
/** A try that failed within this time is made again soon; after a longer one the message goes back. */
const QUICK_MS = 5000;
/** What cannot be fetched goes back for so long, each time twice as long. */
const LATER_FIRST_SECONDS = 30;
const LATER_LAST_SECONDS = 900;
const JITTER = 0.2;
/** It is given up on when it has come this often and is this old: both, as it also comes again for want of room. */
const MAX_RECEIPTS = 20;
const MAX_AGE_MS = 3 * 3_600_000;
/** Longer than this no message waits for its turn, or for room. */
const MAX_WAIT_MS = 60_000;

/**
 * Fetches the events that were too large for SQS: the core API puts such a one into S3 whole, and only a link to it
 * into the queue. What waits here holds no slot of the source, and nothing that a silent S3 could keep from others.
 */
export class ClaimDesk {
  private readonly turns = new ClaimTurns();
  private readonly closing = new AbortController();

  constructor(private readonly parts: ClaimDeskParts) {
    // As many as there are turns.
    setMaxListeners(0, this.closing.signal);
  }

  /** Files that are fetched, or wait for it, or are not settled yet. */
  get count(): number {
    return this.turns.openCount + this.turns.waitingCount;
  }

  /** For people; undefined where nothing is wrong. */
  get summary(): string | undefined {
    return this.parts.hosts.summary;
  }

  /** Never rejects. */
  async redeem(job: ClaimJob): Promise<ClaimResult> {
    const turn: TurnRequest = { group: `${job.queueUrl} ${job.claim.instance}`, host: job.claim.host };
    if (!(await this.turns.enter(turn, MAX_WAIT_MS))) return this.later(job);
    const room = new Reservation(this.parts.room);
    const verdict = await this.fetch(job.claim, room);
    const release = (): void => {
      room.release();
      this.turns.leave(turn);
    };
    const result = this.resultOf(job, verdict);
    switch (result.kind) {
      case 'fetched':
        room.shrinkTo(result.body.length);
        return { ...result, release };
      case 'flawed':
        room.release();
        return { ...result, release };
      case 'later':
        release();
        return result;
    }
  }

  /** What is under way ends, and its messages go back. */
  close(): void {
    this.closing.abort();
    this.turns.close();
  }

  /** Room may have come free. */
  roomChanged(): void {
    this.parts.room.changed();
  }

  private resultOf(job: ClaimJob, verdict: Verdict): Unreleased {
    const { hosts } = this.parts;
    const { host } = job.claim;
    switch (verdict.kind) {
      case 'fetched':
      case 'flawed':
        hosts.answered(host);
        return verdict;
      case 'no-room':
        return this.later(job);
      case 'failed':
        if (this.closing.signal.aborted) return this.later(job);
        hosts.failed(host, verdict.code);
        return isGivenUp(job)
          ? { kind: 'flawed', error: unavailable(job.receiveCount, verdict.code) }
          : this.later(job);
    }
  }

  private later({ receiveCount }: ClaimJob): { readonly kind: 'later'; readonly afterSeconds: number } {
    if (this.closing.signal.aborted) return { kind: 'later', afterSeconds: 0 };
    const seconds = Math.min(LATER_LAST_SECONDS, LATER_FIRST_SECONDS * 2 ** Math.min(receiveCount - 1, 10));
    const { random = Math.random } = this.parts;
    return { kind: 'later', afterSeconds: Math.round(seconds * (1 + JITTER * (2 * random() - 1))) };
  }

  private async fetch(claim: Claim, room: Reservation): Promise<Verdict> {
    const { hosts, pausesMs = PAUSES_MS } = this.parts;
    const pauses = hosts.isFailing(claim.host) ? [] : pausesMs;
    for (const pauseMs of pauses) {
      const begunAt = monotonicMs();
      const verdict = await this.tryOnce(claim, room);
      if (verdict.kind !== 'failed' || monotonicMs() - begunAt > QUICK_MS) return verdict;
      room.release();
      await delay(pauseMs, undefined, { signal: this.closing.signal }).catch(() => {});
    }
    return this.tryOnce(claim, room);
  }

  private async tryOnce({ link }: Claim, room: Reservation): Promise<Verdict> {
    const { signal } = this.closing;
    if (signal.aborted) return { kind: 'failed', code: 'CLOSED' };
    const { downloader } = this.parts;
    const first = await downloader.fetch(link, { signal, admit: (bytes) => room.take(bytes) });
    if (first.kind !== 'no-room') return verdictOf(first);
    // Nothing is open while it waits.
    if (!(await room.wait(first.bytes, MAX_WAIT_MS, signal))) return { kind: 'no-room' };
    return verdictOf(await downloader.fetch(link, { signal, admit: (bytes) => bytes <= room.bytes }));
  }
}

type Unreleased =
  | { readonly kind: 'fetched'; readonly body: Buffer }
  | { readonly kind: 'flawed'; readonly error: MalformedEventError }
  | { readonly kind: 'later'; readonly afterSeconds: number };

function isGivenUp({ receiveCount, ageMs }: ClaimJob): boolean {
  return receiveCount >= MAX_RECEIPTS && (ageMs === undefined || ageMs >= MAX_AGE_MS);
}

/** Room of one file. */
class Reservation {
  private taken = 0;

  constructor(private readonly room: ClaimRoom) {}

  get bytes(): number {
    return this.taken;
  }

  take(bytes: number): boolean {
    this.release();
    if (!this.room.take(bytes)) return false;
    this.taken = bytes;
    return true;
  }

  async wait(bytes: number, maxWaitMs: number, signal: AbortSignal): Promise<boolean> {
    const isTaken = await this.room.wait(bytes, maxWaitMs, signal);
    if (isTaken) this.taken = bytes;
    return isTaken;
  }

  shrinkTo(bytes: number): void {
    const surplus = this.taken - bytes;
    this.taken = bytes;
    if (surplus > 0) this.room.leave(surplus);
  }

  /** Called again, it does nothing. */
  release(): void {
    this.shrinkTo(0);
  }
}
