export interface ScalingRules {
  /** Messages of the queue that one worker is for. */
  readonly target: number;
  readonly min: number;
  readonly max: number;
  /** A number of workers that was wanted within this time is not gone below. */
  readonly cooldownMs: number;
}

/**
 * How many workers a ScaledObject on the depth of a queue asks for, as the Horizontal Pod Autoscaler works it out of an
 * external metric's average value: `ceil(depth / target)` between minimum and maximum; up at once, down once nothing
 * higher was wanted for the cooldown.
 */
export class Autoscaler {
  private readonly wanted: { readonly at: number; readonly count: number }[] = [];

  constructor(private readonly rules: ScalingRules) {}

  /** @param now milliseconds of any clock that does not go back */
  decide(depth: number, now: number): number {
    const { target, min, max, cooldownMs } = this.rules;
    const count = Math.min(max, Math.max(min, Math.ceil(depth / target)));
    this.wanted.push({ at: now, count });
    while ((this.wanted[0]?.at ?? now) < now - cooldownMs) this.wanted.shift();
    return Math.max(...this.wanted.map((each) => each.count));
  }
}
