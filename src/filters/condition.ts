import type { EventItem, EventView } from './event-view';
import type { Steps } from './look-budget';

/** One item of an event that conditions are looked at for. */
export interface Look {
  readonly view: EventView;
  readonly item: EventItem;
  readonly steps: Steps;
}

/** Why a condition does not hold, for a person. */
export interface Failure {
  /** Where it stands in the settings, such as `filter.data.key.fromMe.$eq`. */
  readonly condition: string;
  readonly wanted: unknown;
  /** What the event has there; left out where it has nothing. */
  readonly found?: unknown;
}

/** One thing that an event must be for a destination to receive it. */
export interface Condition {
  holds(look: Look): boolean;
  /** Asked only where it does not hold. */
  failure(look: Look): Failure;
}

export class All implements Condition {
  constructor(private readonly conditions: readonly Condition[]) {}

  holds(look: Look): boolean {
    return this.conditions.every((condition) => condition.holds(look));
  }

  failure(look: Look): Failure {
    const failed = this.conditions.find((condition) => !condition.holds(look)) ?? this.conditions[0];
    return failed?.failure(look) ?? { condition: '', wanted: true };
  }
}

export class Any implements Condition {
  constructor(
    private readonly conditions: readonly Condition[],
    private readonly where: string,
  ) {}

  holds(look: Look): boolean {
    return this.conditions.some((condition) => condition.holds(look));
  }

  failure(look: Look): Failure {
    const found = this.conditions.map((condition) => condition.failure(look));
    return { condition: this.where, wanted: 'one of these holds', found };
  }
}

export class Not implements Condition {
  constructor(
    private readonly condition: Condition,
    private readonly where: string,
  ) {}

  holds(look: Look): boolean {
    return !this.condition.holds(look);
  }

  failure(): Failure {
    return { condition: this.where, wanted: 'this does not hold', found: 'it does' };
  }
}
