import type { DestinationId } from '../../../src/pipeline/delivery';
import { Epochs } from '../../../src/pipeline/epochs';
import { LATE_MS, OrderView, type RawEntry } from '../../../src/worker/order-view';

const ID = 'webhook:global' as DestinationId;

/** By default everything that was sent before has been read by now. */
function entry(state: string, { ageMs = LATE_MS, unclean = 0, since = '1', generation = '' } = {}): RawEntry {
  return [ID, state, since, ageMs, unclean, generation || since, ''];
}

describe('a message of the main queue', () => {
  let epochs: Epochs;
  let view: OrderView;
  beforeEach(() => {
    jest.useFakeTimers();
    epochs = new Epochs();
    view = new OrderView(epochs);
    // The process began a minute ago.
    jest.advanceTimersByTime(60_000);
  });
  afterEach(() => jest.useRealTimers());

  test.each(['none', 'joining', 'leaving'])('is delivered by it while the destination is %s', (state) => {
    view.read(state === 'none' ? [] : [entry(state)], 0);
    expect(view.isLeftOut(ID, epochs.number, false)).toBe(false);
  });

  test('is left to the ordered queue where it came after that was known to have its copy', () => {
    const before = epochs.number;
    view.read([entry('ordered')], 0);
    expect(view.isLeftOut(ID, before, false)).toBe(false);
    expect(view.isLeftOut(ID, epochs.number, false)).toBe(true);
  });

  test('the destination was ordered before this process began: all that comes is later', () => {
    view.read([entry('ordered', { ageMs: 3_600_000 })], 0);
    expect(epochs.number).toBe(0);
    expect(view.isLeftOut(ID, 0, false)).toBe(true);
  });

  test('handed over again it may be of before, as long as a worker may have held such messages', () => {
    view.read([entry('ordered', { ageMs: 3_600_000, unclean: 1 })], 0);
    expect(view.isLeftOut(ID, 0, true)).toBe(false);
    expect(view.isLeftOut(ID, 0, false)).toBe(true);
    view.read([entry('ordered', { ageMs: 3_600_000 })], 0);
    expect(view.isLeftOut(ID, 0, true)).toBe(true);
  });

  test('is delivered by it for a moment after the marker, as what was sent before the marker may be read late', () => {
    view.read([entry('ordered', { ageMs: LATE_MS - 1 })], 0);
    expect(view.isLeftOut(ID, epochs.number, false)).toBe(false);
    view.read([entry('ordered', { ageMs: LATE_MS })], 0);
    expect(view.isLeftOut(ID, epochs.number, false)).toBe(true);
  });

  test('may be held here for as long as those that came before its generation, and a moment later, are not settled', () => {
    const cleanEpoch = (): number | undefined => view.of(ID)?.cleanEpoch;
    view.read([entry('ordered', { ageMs: LATE_MS - 1, unclean: 1 })], 0);
    expect(cleanEpoch()).toBeUndefined();
    view.read([entry('ordered', { unclean: 1 })], 0);
    const first = cleanEpoch();
    expect(first).toBe(epochs.number);
    const swept = { ageMs: 3_600_000, unclean: 1, generation: '3590001' };
    view.read([entry('ordered', { ...swept, ageMs: 3_600_000 - 1 })], 0);
    expect(cleanEpoch()).toBeUndefined();
    view.read([entry('ordered', swept)], 0);
    expect(cleanEpoch()).toBeGreaterThan(first ?? 0);
    view.read([entry('ordered', { ...swept, ageMs: 3_700_000 })], 0);
    expect(cleanEpoch()).toBe(epochs.number);
  });

  test('ordered anew, messages of before are delivered by it again', () => {
    view.read([entry('ordered', { ageMs: 3_600_000 })], 0);
    view.read([entry('joining', { since: '2' })], 0);
    const before = epochs.number;
    view.read([entry('ordered', { since: '3' })], 0);
    expect(view.isLeftOut(ID, before, false)).toBe(false);
    expect(view.isLeftOut(ID, epochs.number, false)).toBe(true);
  });

  test('what a later version, or a person, wrote there is no state', () => {
    view.read([entry('something')], 0);
    expect(view.size).toBe(0);
  });
});
