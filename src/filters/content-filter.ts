import { RelayError } from '../errors';
import { Compiler, type FilterProblem } from './compiler';
import { All, type Condition, type Failure } from './condition';
import type { EventView } from './event-view';
import { Steps } from './look-budget';
import { isShortForm, type ShortForm, shortFormOf } from './short-form';

/** Everything that one destination may ask of what an event says. */
export interface ContentConditions extends ShortForm {
  /** `{"data.key.remoteJid": {"$endsWith": "@g.us"}}` */
  readonly filter?: unknown;
}

/** A filter that cannot be used; it was checked when it was set, so what is stored was written by something else. */
export class FilterInvalidError extends RelayError {
  constructor(problems: readonly FilterProblem[]) {
    const lines = problems.map(({ path, problem }) => `${['filter', ...path].join('.')}: ${problem}`);
    super('FILTER_INVALID', lines.join('; '));
  }
}

/** Why an event does not pass: for each of its first items, the condition that failed. */
export interface Refusal extends Failure {
  /** Index of the item, where `data` is a list. */
  readonly item?: number;
}

/** Items for which an answer says why. */
const MAX_EXPLAINED = 3;

/**
 * What one destination wants of what an event says. Where `data` is a list, each item is looked at as if the event carried
 * only it: the event passes, whole, when all conditions hold for one of the items.
 */
export class ContentFilter {
  private constructor(private readonly condition: Condition) {}

  /**
   * Made once, when settings are read; undefined where nothing is asked for.
   *
   * @throws FilterInvalidError
   */
  static of({ filter, ...form }: ContentConditions): ContentFilter | undefined {
    const conditions: Condition[] = [];
    const short = shortFormOf(form);
    if (short !== undefined) conditions.push(short);
    if (filter !== undefined) {
      const compiler = new Compiler();
      const general = compiler.compile(filter);
      if (compiler.problems.length > 0) throw new FilterInvalidError(compiler.problems);
      conditions.push(general);
    }
    const [first] = conditions;
    if (first === undefined) return undefined;
    return new ContentFilter(conditions.length === 1 ? first : new All(conditions));
  }

  /** What cannot be looked at whole passes: an event too many is better than one that is missing. */
  passes(view: EventView): boolean {
    if (view.isTooLarge) return true;
    const steps = new Steps();
    const passes = view.items.some((item) => steps.take() && this.condition.holds({ view, item, steps }));
    return passes || steps.areUsedUp;
  }

  /** Why an event that does not pass does not. */
  refusals(view: EventView): Refusal[] {
    const steps = new Steps();
    const isList = Array.isArray(view.data);
    return view.items.slice(0, MAX_EXPLAINED).map((item, index) => ({
      ...(isList ? { item: index } : {}),
      ...this.condition.failure({ view, item, steps }),
    }));
  }
}

/** What is wrong with a filter, each with the names that lead there; nothing where it may be set. */
export function filterProblems(filter: unknown): readonly FilterProblem[] {
  const compiler = new Compiler();
  compiler.compile(filter);
  return compiler.problems;
}

/** Names of the root that the cores' events have (docs/core-api.md#envelope, docs/filters.md). */
const ROOT = new Set([
  ...['event', 'instance', 'data', 'date_time', 'sender', 'server_url', 'apikey', 'server', 'dataType'],
  ...['isLatest', 'progress', 'instanceId', 'instanceName', 'instanceToken', 'state'],
]);

/** What may be a mistake although it may be set: a path that begins with a name that no core's events have. */
export function filterWarnings(filter: unknown): string[] {
  const compiler = new Compiler();
  compiler.compile(filter);
  const names = new Set(compiler.paths.flatMap(([root = '']) => (ROOT.has(root) ? [] : [root])));
  return [...names].map(
    (name) =>
      `events have no ${JSON.stringify(name)} at their root, so the path leads nowhere: ${remedyFor(name)}`,
  );
}

function remedyFor(name: string): string {
  return isShortForm(name)
    ? `${name} as a field of its own stands beside filter, not in it`
    : `did you mean data.${name}?`;
}
