import { MAX_STEPS } from './filter-limits';

/** What looking at one event for one destination may cost: a tenant's conditions must not keep the others waiting. */
export class Steps {
  private left = MAX_STEPS;

  /** Whether one more value may be looked at. */
  take(): boolean {
    return this.left-- > 0;
  }

  /** What was found so far says nothing: not everything was looked at. */
  get areUsedUp(): boolean {
    return this.left < 0;
  }
}
