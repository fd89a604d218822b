import type { EventFilter } from '../events/filter';
import { type EventSwitches, readEventSwitches } from './event-switches';

/** One reading of the configuration: what was given, and what is wrong with it or worth telling. */
export class Reading {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly notes: string[] = [];

  /** @param raw what was given, by name, variables of no known name included */
  constructor(private readonly raw: Readonly<Record<string, unknown>>) {}

  /** Something keeps the relay from starting; the text begins with the variable's name and says what helps. */
  problem(text: string): void {
    this.problems.push(text);
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  /** Something was chosen that may surprise, and is as it should be where it was chosen on purpose. */
  note(text: string): void {
    this.notes.push(text);
  }

  /** The events that a family of switches lets pass. */
  switches(family: EventSwitches): EventFilter {
    const { events, problems, warnings } = readEventSwitches(family, this.raw);
    this.problems.push(...problems);
    this.warnings.push(...warnings);
    return events;
  }
}
