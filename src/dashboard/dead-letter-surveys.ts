import { LRUCache } from 'lru-cache';
import type { DeadLetter, DeadLetterFilter, DeadLetters } from '../dead-letters/dead-letters';
import { monotonicMs } from '../time/monotonic';
import { endsWithin } from '../time/within';

/** Dead letters with one reason. */
export interface ReasonGroup {
  readonly reason: string;
  readonly count: number;
  /** When the newest was given up on. */
  readonly newest: number;
  /** Those with most first. */
  readonly destinations: readonly string[];
}

/** How many dead letters match, by their reasons. */
export interface Survey {
  readonly count: number;
  /** Those that can be delivered: a malformed message cannot. */
  readonly replayable: number;
  /** Largest first. */
  readonly groups: readonly ReasonGroup[];
  /** The newest few, the newest first. */
  readonly newest: readonly DeadLetter[];
  /** False while it is still counted. */
  readonly isComplete: boolean;
}

export interface DeadLetterSurveysParts {
  readonly deadLetters: Pick<DeadLetters, 'pages'>;
  readonly now?: () => number;
}

/** A page waits for so long; what takes longer goes on meanwhile, and the page says how far it is. */
const PATIENCE_MS = 400;
const LEAST_MS = 2500;
/** What counting takes, of the time between two of it. */
const SHARE = 0.02;
const PAGE = 500;
const NEWEST = 50;
const FORGOTTEN_MS = 60_000;
const MOST_FILTERS = 30;
const SHOWN_DESTINATIONS = 3;

/** Counts dead letters in the background, one filter after another: reading a million takes a while, and no page waits for it. */
export class DeadLetterSurveys {
  private readonly surveys = new LRUCache<string, RunningSurvey>({
    max: MOST_FILTERS,
    ttl: FORGOTTEN_MS,
    updateAgeOnGet: true,
  });
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: DeadLetterSurveysParts) {}

  /** As far as it is known within a moment. */
  async of(filter: DeadLetterFilter, question: object): Promise<Survey> {
    const key = JSON.stringify(question);
    let survey = this.surveys.get(key);
    if (survey === undefined) {
      survey = new RunningSurvey(this.parts, (work) => this.inTurn(work));
      this.surveys.set(key, survey);
    }
    return survey.current(filter);
  }

  /** Something was removed or replayed. */
  forget(): void {
    this.surveys.clear();
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }
}

class RunningSurvey {
  private complete: Survey | undefined;
  private tally = new Tally();
  private running: Promise<void> | undefined;
  private failure: unknown;
  private until = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly parts: DeadLetterSurveysParts,
    private readonly inTurn: (work: () => Promise<void>) => Promise<void>,
  ) {}

  async current(filter: DeadLetterFilter): Promise<Survey> {
    const { now = monotonicMs } = this.parts;
    if (this.running === undefined && now() >= this.until) this.begin(filter, now);
    const { running } = this;
    if (running !== undefined && (await endsWithin(running, PATIENCE_MS))) await running;
    if (this.failure !== undefined && this.running === undefined) throw this.failure;
    return this.complete ?? this.tally.survey(false);
  }

  private begin(filter: DeadLetterFilter, now: () => number): void {
    const begun = now();
    this.failure = undefined;
    const counting = this.inTurn(() => this.count(filter));
    const ended = (restMs: number): void => {
      this.running = undefined;
      this.until = now() + restMs;
    };
    this.running = counting.then(
      () => ended(Math.max(LEAST_MS, (now() - begun) / SHARE)),
      (error: unknown) => {
        this.failure = error;
        ended(0);
      },
    );
  }

  private async count(filter: DeadLetterFilter): Promise<void> {
    const tally = new Tally();
    this.tally = tally;
    const range = { filter, until: Date.now(), cursor: '', size: PAGE };
    for await (const { letters } of this.parts.deadLetters.pages(range)) tally.add(letters);
    this.complete = tally.survey(true);
  }
}

interface Group {
  count: number;
  newest: number;
  readonly destinations: Map<string, number>;
}

/** More destinations of one reason are counted, and not named. */
const MOST_DESTINATIONS = 1000;

class Tally {
  private readonly groups = new Map<string, Group>();
  private newest: DeadLetter[] = [];
  private count = 0;
  private replayable = 0;

  /** They come oldest first. */
  add(letters: readonly DeadLetter[]): void {
    for (const { reason, at, destination } of letters) {
      this.count++;
      if (reason !== 'malformed') this.replayable++;
      const group = this.groups.get(reason) ?? { count: 0, newest: 0, destinations: new Map() };
      this.groups.set(reason, group);
      group.count++;
      group.newest = Math.max(group.newest, at);
      const { destinations } = group;
      if (destinations.has(destination) || destinations.size < MOST_DESTINATIONS)
        destinations.set(destination, (destinations.get(destination) ?? 0) + 1);
    }
    this.newest = [...this.newest, ...letters].slice(-NEWEST);
  }

  survey(isComplete: boolean): Survey {
    const groups = [...this.groups].map(([reason, { count, newest, destinations }]) => ({
      reason,
      count,
      newest,
      destinations: [...destinations]
        .sort(([, a], [, b]) => b - a)
        .slice(0, SHOWN_DESTINATIONS)
        .map(([destination]) => destination),
    }));
    return {
      count: this.count,
      replayable: this.replayable,
      groups: groups.sort((a, b) => b.count - a.count),
      newest: [...this.newest].reverse(),
      isComplete,
    };
  }
}
