import { Epochs } from '../../../src/pipeline/epochs';

describe('epochs', () => {
  test('messages of before are told from those that came after something was known', () => {
    const epochs = new Epochs();
    const before = epochs.begin();
    const number = epochs.advance();
    expect(before.number).toBeLessThan(number);
    expect(epochs.begin().number).toBe(number);
  });

  test('a moment is settled when everything that came before it is, whatever came since', () => {
    const epochs = new Epochs();
    const [first, second] = [epochs.begin(), epochs.begin()];
    const known = epochs.advance();
    epochs.begin();
    epochs.end(first);
    expect(epochs.isSettledBefore(known)).toBe(false);
    epochs.end(second);
    expect(epochs.isSettledBefore(known)).toBe(true);
    expect(epochs.isSettledBefore(epochs.advance())).toBe(false);
  });
});
