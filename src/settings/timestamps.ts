import { isDeepStrictEqual } from 'node:util';
import { isFields, type Settings } from './section';
import type { Sections } from './sections';
import { readSlot } from './slot';

interface Stamped {
  readonly createdAt?: unknown;
  readonly updatedAt?: unknown;
}

/** `after` with the times at which each section was first and last changed. */
export function stamped(
  sections: Sections,
  before: Settings | undefined,
  after: Settings,
  at: Date,
): Settings {
  const now = at.toISOString();
  return {
    ...after,
    ...sections.map(after, (value, slot) =>
      isFields(value) ? stampedSection(value, readSlot(before, slot), now) : value,
    ),
  };
}

function stampedSection(section: Stamped, was: Stamped | undefined, now: string): Stamped {
  // What was exported keeps its times.
  if (was === undefined) {
    const { createdAt = now, updatedAt = now } = section;
    return { ...section, createdAt, updatedAt };
  }
  const { createdAt = now, updatedAt = now } = was;
  const isSame = isDeepStrictEqual(bare(section), bare(was));
  return { ...section, createdAt, updatedAt: isSame ? updatedAt : now };
}

function bare({ createdAt: _created, updatedAt: _updated, ...rest }: Stamped): object {
  return rest;
}

/** What a client gives, without times that it may have made up. */
export function withoutTimes(section: unknown): unknown {
  return isFields(section) ? bare(section) : section;
}
