import type { DeadLetter, DeadLetterFilter, DeadLetters } from './dead-letters';

/** What a person may do with dead letters: deliver them again, or remove them for good. */
export interface DeadLetterChange {
  readonly done: string;
  /** Which of those that filters find it is for. */
  readonly chooses: (letter: DeadLetter) => boolean;
  /** What was in the way, where something was. */
  readonly work: (deadLetters: DeadLetters, id: string) => Promise<string | undefined>;
}

export const REPLAY: DeadLetterChange = {
  done: 'replayed',
  chooses: ({ reason }) => reason !== 'malformed',
  work: async (deadLetters, id) => {
    const result = await deadLetters.replay(id);
    if (result === 'replayed') return undefined;
    return result === 'malformed'
      ? `${id} is not an event and cannot be delivered`
      : `there is no dead letter ${id}`;
  },
};

export const REMOVE: DeadLetterChange = {
  done: 'removed',
  chooses: () => true,
  work: async (deadLetters, id) =>
    (await deadLetters.remove(id)) ? undefined : `there is no dead letter ${id}`,
};

/** Changes that are sent to Redis together: one by one, each waits for the answer to the one before. */
const AT_ONCE = 100;

export interface Changed {
  readonly count: number;
  readonly problems: readonly string[];
}

/** Changes those named or, where a filter is given, those that it chooses. */
export async function changeDeadLetters(
  deadLetters: DeadLetters,
  chosen: readonly string[] | DeadLetterFilter,
  change: DeadLetterChange,
): Promise<Changed> {
  const ids = isList(chosen) ? chosen : await idsOf(deadLetters, chosen, change);
  const problems: string[] = [];
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const some = ids.slice(start, start + AT_ONCE);
    const found = await Promise.all(some.map((id) => change.work(deadLetters, id)));
    problems.push(...found.flatMap((problem) => problem ?? []));
  }
  return { count: ids.length - problems.length, problems };
}

function isList(chosen: readonly string[] | DeadLetterFilter): chosen is readonly string[] {
  return Array.isArray(chosen);
}

async function idsOf(
  deadLetters: DeadLetters,
  filter: DeadLetterFilter,
  change: DeadLetterChange,
): Promise<string[]> {
  const ids: string[] = [];
  for await (const letter of deadLetters.list(filter)) {
    if (change.chooses(letter)) ids.push(letter.id);
  }
  return ids;
}
