import { unsendableKey } from '../config/formats';
import { filterOfNames, keyNamed } from '../events/event-names';
import type { EventFilter } from '../events/filter';
import { didYouMeanEvent, nearestEvent } from '../events/nearest-event';
import { suggestion } from '../events/nearest-name';
import { boundedLines, boundsProblem } from './bounds';
import { checkedBy, problemsOf } from './own-words';
import { pathOf, type Settings } from './section';
import type { Sections } from './sections';
import { warningsOfOff } from './switched-off';
import { unknownFields } from './unknown-fields';

/** Settings that were understood, or what is wrong with them at once, each problem naming its field; the first twenty. */
export type Parsed =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Understands the settings of one instance: the "Complete Instance Configuration" of the core API's documentation
 * without its name, or what was stored before. Keys that are not ours are left out.
 */
export function parseSettings(sections: Sections, value: unknown): Parsed {
  const bounds = boundsProblem(value);
  if (bounds !== undefined) return { ok: false, problems: [`settings: ${bounds}`] };
  const parsed = checkedBy(sections.schema, value);
  if (parsed.success) {
    const warnings = [
      ...unknownFields(sections, value as object),
      ...warningsOfAll(sections, value as object),
      ...unknownEventWarnings(sections, parsed.data),
      ...tokenWarnings(parsed.data),
    ];
    return { ok: true, settings: parsed.data, warnings: boundedLines(warnings) };
  }
  // What is missing may stand there, misspelt.
  const misspelt = typeof value === 'object' && value !== null ? unknownFields(sections, value) : [];
  return { ok: false, problems: boundedLines([...problemsOf(parsed.error, 'settings'), ...misspelt]) };
}

/** A tenant would only learn that it is not let in. */
function tokenWarnings({ token }: Settings): string[] {
  const problem = token === undefined ? undefined : unsendableKey(token);
  return problem === undefined ? [] : [`token: ${problem}`];
}

/** Of sections that are switched off. */
export function warningsOfAll(sections: Sections, document: object): string[] {
  const warnings: string[] = [];
  sections.map(document, (value, slot) => {
    const { section } = slot;
    warnings.push(...warningsOfOff(section.definition, pathOf(slot), section.withPresentNames(value)));
    return value;
  });
  return warnings;
}

/** The name that a "Complete Instance Configuration" carries; undefined where it has none. */
export function instanceNameOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !('instanceName' in entry)) return undefined;
  return typeof entry.instanceName === 'string' && entry.instanceName !== '' ? entry.instanceName : undefined;
}

/** An event that is listed and is none of the catalogue's. */
export interface UnknownEvent {
  /** Of the list: `webhook.events`. */
  readonly path: string;
  readonly event: string;
}

/** Events of all lists that the catalogue does not have: misspelt ones, or those of a later core API. */
export function unknownEvents(sections: Sections, settings: Settings): UnknownEvent[] {
  return sections
    .all(settings)
    .flatMap(({ path, value }) =>
      value.events.filter((event) => !isKnown(event)).map((event) => ({ path: `${path}.events`, event })),
    );
}

/** Those that a list must not have, each with the name that was probably meant. */
export function unknownEventProblems(unknown: readonly UnknownEvent[]): string[] {
  const lines = unknown.map(
    // The nearest name is looked for where it is shown only.
    ({ path, event }, index) =>
      index < MAX_NAMED ? `${path}: ${event} is no event${didYouMeanEvent(event)}` : path,
  );
  return boundedLines(lines);
}

/** More than are listed are not looked at. */
const MAX_NAMED = 20;

/** The operator may name those of a later core API: they are kept. */
function unknownEventWarnings(sections: Sections, settings: Settings): string[] {
  return unknownEvents(sections, settings).map(
    ({ path, event }, index) =>
      `${path}: ${event} is none of the events known; it is kept${index < MAX_NAMED ? suggestion(nearestEvent(event)) : ''}`,
  );
}

export function isKnown(event: string): boolean {
  return keyNamed(event) !== undefined;
}

/** An empty list means every event, as in the core API. */
export function filterOf(events: readonly string[]): EventFilter {
  return events.length === 0 ? 'all' : filterOfNames(events);
}

/**
 * The same for what is made at a broker, bindings and queues: events that are unknown are left out, as each of them
 * would make one for good.
 */
export function knownFilterOf(events: readonly string[]): EventFilter {
  return events.length === 0 ? 'all' : filterOfNames(events.filter(isKnown));
}
