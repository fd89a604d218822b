import { WatchedInstance } from '../../../src/silence/watched-instance';

const STEP_MS = 120_000;
const STEPS_PER_HOUR = 30;
/** Longer than any conversation. */
const AHEAD_STEPS = 64;
const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
/** A Monday, 00:00 UTC. */
export const BEGIN = Date.UTC(2026, 0, 5);

/** Messages an hour that an instance has in each hour of the week, on average. */
export type Usual = (hourOfWeek: number) => number;

export interface Kind {
  readonly name: string;
  readonly usual: Usual;
  /** Messages of one conversation. */
  readonly burst: number;
  /** Days differ by this much: 0.3 is half as much again, or a third less. */
  readonly dayNoise: number;
  /** Minutes by which a day begins earlier or later. */
  readonly jitterMinutes: number;
  /** Presence and the like for each message. */
  readonly others: number;
  /** Days in a year on which it is closed, unforeseen. */
  readonly closedDays: number;
}

/** Part of the usual pace in each hour that a shop is open: it begins and ends gently, with a pause at noon. */
function partOf(hourOfDay: number, from: number, until: number): number {
  if (hourOfDay < from || hourOfDay >= until) return 0;
  if (hourOfDay === until - 1) return 0.35;
  if (hourOfDay === until - 2 || hourOfDay === from) return 0.7;
  return hourOfDay === 12 ? 0.4 : 1;
}

/** Open on six days, less busy on the sixth. */
function day(from: number, until: number, weekday: number, saturday: number, night: number): Usual {
  return (hour) => {
    const dayOfWeek = Math.floor(hour / 24);
    const part = dayOfWeek === 6 ? 0 : partOf(hour % 24, from, until);
    return part === 0 ? night : part * (dayOfWeek === 5 ? saturday : weekday);
  };
}

export const KINDS: readonly Kind[] = [
  {
    name: 'busy shop',
    usual: day(9, 18, 90, 40, 1),
    burst: 4,
    dayNoise: 0.25,
    jitterMinutes: 15,
    others: 2,
    closedDays: 8,
  },
  {
    name: 'shop with a night pause',
    usual: day(8, 20, 30, 15, 0),
    burst: 5,
    dayNoise: 0.3,
    jitterMinutes: 30,
    others: 1,
    closedDays: 8,
  },
  {
    name: 'lively shop',
    usual: day(8, 20, 360, 200, 5),
    burst: 4,
    dayNoise: 0.25,
    jitterMinutes: 15,
    others: 2,
    closedDays: 8,
  },
  {
    name: 'support around the clock',
    usual: (hour) => (hour % 24 < 7 ? 40 : 120),
    burst: 6,
    dayNoise: 0.2,
    jitterMinutes: 0,
    others: 3,
    closedDays: 0,
  },
  {
    name: 'restaurant in the evening',
    usual: (hour) => (hour % 24 >= 18 && hour % 24 < 23 ? 60 : 2),
    burst: 5,
    dayNoise: 0.5,
    jitterMinutes: 30,
    others: 0,
    closedDays: 12,
  },
  {
    name: 'quiet person',
    usual: day(8, 22, 3, 4, 0.1),
    burst: 6,
    dayNoise: 0.6,
    jitterMinutes: 60,
    others: 4,
    closedDays: 10,
  },
  {
    name: 'one message a day',
    usual: day(10, 11, 1, 1, 0),
    burst: 1,
    dayNoise: 0.3,
    jitterMinutes: 60,
    others: 0,
    closedDays: 10,
  },
  {
    name: 'bot that sends by the hour',
    usual: () => 4,
    burst: 4,
    dayNoise: 0,
    jitterMinutes: 0,
    others: 0,
    closedDays: 0,
  },
];

export interface Weeks {
  readonly kind: Kind;
  readonly weeks: number;
  /** Pseudo-random numbers from 0 to 1. */
  readonly random: () => number;
  /** From when it says nothing, though it would have; and whether presence goes on. */
  readonly failsAt?: number;
  readonly othersGoOn?: boolean;
}

export interface Told {
  readonly at: number;
  readonly why: string;
}

/** Lets one instance live for some weeks; when it was said to be silent, once for each silence. */
export function live({
  kind,
  weeks,
  random,
  failsAt = Number.POSITIVE_INFINITY,
  othersGoOn = false,
}: Weeks): Told[] {
  const instance = WatchedInstance.new(BEGIN);
  const messagesOf = talk(kind, random);
  const told: Told[] = [];
  let wasSilent = false;
  for (let at = BEGIN; at < BEGIN + weeks * WEEK_MS; at += STEP_MS) {
    const messages = messagesOf(at);
    const others = poisson(messages * kind.others, random);
    const failed = at >= failsAt;
    instance.advance(at + STEP_MS, {
      messages: failed ? 0 : messages,
      others: failed && !othersGoOn ? 0 : others,
    });
    const { verdict } = instance;
    if (verdict.kind === 'silent' && !wasSilent) told.push({ at: at + STEP_MS, why: verdict.why });
    wasSilent = verdict.kind === 'silent';
  }
  return told;
}

/** The messages of each step, one after the other. */
function talk(kind: Kind, random: () => number): (at: number) => number {
  /** Messages that belong to conversations begun, by the step in which they come. */
  const coming = new Uint16Array(AHEAD_STEPS);
  let step = 0;
  let today = dayOf(kind, random);
  return (at) => {
    if ((at - BEGIN) % (24 * HOUR_MS) === 0) today = dayOf(kind, random);
    const hour = Math.floor((at - BEGIN + today.jitterMs + WEEK_MS) / HOUR_MS) % 168;
    const conversations = poisson((kind.usual(hour) * today.level) / kind.burst / STEPS_PER_HOUR, random);
    for (let each = 0; each < conversations; each++) converse(coming, step, kind, random);
    const index = step++ % AHEAD_STEPS;
    const messages = coming[index] ?? 0;
    coming[index] = 0;
    return messages;
  };
}

function dayOf(kind: Kind, random: () => number): { readonly level: number; readonly jitterMs: number } {
  const isClosed = random() < kind.closedDays / 365;
  return {
    level: Math.exp(kind.dayNoise * gauss(random)) * (isClosed ? 0.03 : 1),
    jitterMs: kind.jitterMinutes * 60_000 * (random() * 2 - 1),
  };
}

function converse(coming: Uint16Array, step: number, { burst }: Kind, random: () => number): void {
  let after = random();
  const size = 1 + Math.floor(-Math.log(1 - random()) * (burst - 1) + 0.5);
  for (let message = 0; message < size && after < AHEAD_STEPS; message++) {
    const index = (step + Math.floor(after)) % AHEAD_STEPS;
    coming[index] = (coming[index] ?? 0) + 1;
    after += (-Math.log(1 - random()) * 60_000) / STEP_MS;
  }
}

function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function poisson(mean: number, random: () => number): number {
  if (mean <= 0) return 0;
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** Mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
