import { Autoscaler } from '../../support/scaling/autoscaler';

const rules = { target: 500, min: 1, max: 10, cooldownMs: 60_000 };

describe('the number of workers for the depth of a queue', () => {
  it.each([
    [0, 1],
    [1, 1],
    [500, 1],
    [501, 2],
    [4999, 10],
    [1_000_000, 10],
  ])('%p messages: %p', (depth, count) => {
    expect(new Autoscaler(rules).decide(depth, 0)).toBe(count);
  });

  it('grows at once, and shrinks once nothing higher was wanted for the cooldown', () => {
    const scaler = new Autoscaler(rules);
    expect([scaler.decide(400, 0), scaler.decide(2100, 1), scaler.decide(900, 30_000)]).toEqual([1, 5, 5]);
    expect(scaler.decide(900, 60_001)).toBe(5);
    expect(scaler.decide(900, 60_002)).toBe(2);
    expect(scaler.decide(0, 60_003)).toBe(2);
    expect(scaler.decide(0, 130_000)).toBe(1);
  });
});
