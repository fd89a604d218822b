import type { EventFilter } from '../events/filter';
import { type EventSwitches, readEventSwitches } from './event-switches';

/** One reading of the configuration: what was given, and what is wrong with it or worth telling. */
export class Reading {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly notes: string[] = [];

  /**
   * @param raw what was given, by name, variables of no known name included
   * @param wrong variables whose value is not of their format, which is said already: nothing else is known of them
   */
  constructor(
    private readonly raw: Readonly<Record<string, unknown>>,
    private readonly wrong: Pick<ReadonlyMap<string, unknown>, 'has'> = new Map(),
  ) {}

  /** Something keeps the relay from starting; the text begins with the variable's name and says what helps. */
  problem(text: string): void {
    const [name = ''] = /^\w+/.exec(text) ?? [];
    if (!this.wrong.has(name)) add(this.problems, text);
  }

  warn(text: string): void {
    add(this.warnings, text);
  }

  /** Something was chosen that may surprise, and is as it should be where it was chosen on purpose. */
  note(text: string): void {
    add(this.notes, text);
  }

  /** The events that a family of switches lets pass. */
  switches(family: EventSwitches): EventFilter {
    const { events, problems, warnings } = readEventSwitches(family, this.raw);
    for (const problem of problems) this.problem(problem);
    for (const warning of warnings) this.warn(warning);
    return events;
  }
}

/** Once, as two items of a list may have the same fault. */
function add(texts: string[], text: string): void {
  if (!texts.includes(text)) texts.push(text);
}
