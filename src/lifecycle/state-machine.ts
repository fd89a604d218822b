import type { Fields, Logger } from '../observability/logging';

export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>;

export interface StateMachineParts<S extends string> {
  /** What changes its state, for the log. */
  readonly name: string;
  readonly initial: S;
  readonly transitions: Transitions<S>;
  readonly log: Logger;
}

/**
 * The one place where a state changes. A transition that the table does not list does not take place: code that awaited
 * something meanwhile learns from the answer that the state it began in is over.
 */
export class StateMachine<S extends string> {
  private current: S;

  constructor(private readonly parts: StateMachineParts<S>) {
    this.current = parts.initial;
  }

  get state(): S {
    return this.current;
  }

  is(...states: readonly S[]): boolean {
    return states.includes(this.current);
  }

  /** Whether it took place. Moving to the present state is no transition. */
  move(to: S, fields: Fields = {}): boolean {
    const { name, transitions, log } = this.parts;
    const from = this.current;
    if (!transitions[from].includes(to)) return false;
    this.current = to;
    if (log.isDebug) log.debug(`${name}: ${from} → ${to}`, fields);
    return true;
  }
}
