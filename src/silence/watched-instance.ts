import { endOfHour, hourOfWeek, Rhythm } from './rhythm';
import type { Said } from './said';
import { type Verdict, verdictOf } from './verdict';

/** What was heard of an instance within one step of time. */
export interface Heard {
  readonly messages: number;
  readonly others: number;
  readonly said?: Said | undefined;
}

/** What is remembered of an instance, beside its rhythm; numbers only, so that it is stored easily. */
export interface WatchState {
  /** Up to when it was followed. */
  at: number;
  lastMessageAt: number;
  /** Of the hour that is not over yet. */
  messagesThisHour: number;
  heardThisHourMs: number;
  /** Messages of the last hour before the last message, fading. */
  pace: number;
  paced: number;
  usual: number;
  /** The longest usual silence, fading. */
  longest: number;
  /** Usual silences beyond `LONG_SILENCE`, and by how much they went beyond it together; fading. */
  silences: number;
  excess: number;
  others: number;
  /** 0: the connection is open, or nothing is known of it. */
  closedAt: number;
  /** 1: of a kind that has no rhythm. */
  unwatched: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Silences fade to half in this time, so that an instance that changes is known anew. */
const HALF_MS = 21 * DAY_MS;
/** Silences are measured in messages that were to be expected. From here on they are thought to be distributed exponentially. */
const LONG_SILENCE = 2;
/** What a new instance is given before its own silences are known. */
const FIRST_SILENCES = 5;
const FIRST_EXCESS = 5;
/** So often as long as the average: e to the power of this is about the silences of a hundred busy weeks. */
const TIMES_EXCESS = 13;
const TIMES_LONGEST = 1.5;
/** A pace fades to a third within this time. */
const PACE_MS = HOUR_MS;

const UNWATCHED: Verdict = { kind: 'unwatched' };
export const NOTHING_HEARD: Heard = { messages: 0, others: 0 };

/** Follows what one instance says; a function of counts and times. */
export class WatchedInstance {
  constructor(
    readonly rhythm: Rhythm,
    readonly state: WatchState,
  ) {}

  static new(at: number): WatchedInstance {
    return new WatchedInstance(new Rhythm(), {
      at,
      lastMessageAt: at,
      messagesThisHour: 0,
      heardThisHourMs: 0,
      pace: 0,
      paced: 0,
      usual: 0,
      longest: 0,
      silences: FIRST_SILENCES,
      excess: FIRST_SILENCES * FIRST_EXCESS,
      others: 0,
      closedAt: 0,
      unwatched: 0,
    });
  }

  /** Goes on to `until` with what was heard since; steps are short beside an hour. */
  advance(until: number, heard: Heard): void {
    const { state } = this;
    const hourEnd = endOfHour(state.at);
    const stepMs = until - state.at;
    this.fade(stepMs);
    // Whole steps without a message count: within one that has some, nothing is known of when they came.
    if (heard.messages > 0) this.speaks(until, heard.messages, stepMs);
    else {
      this.expect(stepMs);
      state.others += heard.others;
    }
    if (heard.said === 'open') state.closedAt = 0;
    else if (heard.said === 'closed') state.closedAt = until;
    else if (heard.said === 'unwatched') state.unwatched = 1;
    state.messagesThisHour += heard.messages;
    state.heardThisHourMs += stepMs;
    if (until >= hourEnd) this.learn(state.at);
    state.at = until;
  }

  /** Nothing was listened to up to then: nothing is expected, and nothing learned. */
  skip(until: number): void {
    this.state.at = until;
    this.state.messagesThisHour = 0;
    this.state.heardThisHourMs = 0;
  }

  get verdict(): Verdict {
    const { state, rhythm } = this;
    if (state.unwatched > 0) return UNWATCHED;
    return verdictOf({
      ...rhythm.usual,
      quietMs: state.at - state.lastMessageAt,
      paced: state.paced,
      usual: state.usual,
      unusual: this.unusual,
      others: state.others,
      closedMs: state.closedAt === 0 ? undefined : state.at - state.closedAt,
    });
  }

  private get unusual(): number {
    const { longest, silences, excess } = this.state;
    return Math.max(longest * TIMES_LONGEST, LONG_SILENCE + (excess / silences) * TIMES_EXCESS);
  }

  private expect(stepMs: number): void {
    const { state, rhythm } = this;
    const rate = rhythm.at(hourOfWeek(state.at));
    const hours = stepMs / HOUR_MS;
    state.usual += rate * hours;
    state.paced += Math.min(rate, state.pace) * hours;
  }

  private fade(stepMs: number): void {
    const { state } = this;
    const fade = 0.5 ** (stepMs / HALF_MS);
    state.longest *= fade;
    state.silences *= fade;
    state.excess *= fade;
  }

  private speaks(at: number, messages: number, stepMs: number): void {
    const { state, rhythm } = this;
    state.longest = Math.max(state.longest, state.paced);
    // Half a step before, and half a step after the quiet ones, on average.
    const step = (rhythm.at(hourOfWeek(state.at)) * stepMs) / HOUR_MS;
    if (state.paced > LONG_SILENCE) {
      state.silences++;
      state.excess += state.paced - Math.max(0, LONG_SILENCE - step);
    }
    const fade = Math.exp(-(at - state.lastMessageAt) / PACE_MS);
    state.pace = state.pace * fade + messages * (HOUR_MS / PACE_MS);
    state.lastMessageAt = at;
    state.paced = 0;
    state.usual = 0;
    state.others = 0;
  }

  /** A silence that was reported is no part of the rhythm. */
  private learn(hourBegin: number): void {
    const { state, rhythm } = this;
    if (this.verdict.kind !== 'silent')
      rhythm.learn(
        hourOfWeek(hourBegin),
        state.messagesThisHour,
        Math.min(1, state.heardThisHourMs / HOUR_MS),
      );
    state.messagesThisHour = 0;
    state.heardThisHourMs = 0;
  }
}
