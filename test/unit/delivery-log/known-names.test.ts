import { KnownNames } from '../../../src/delivery-log/known-names';

describe('a name that is known', () => {
  test('keeps no memory but its own: thousands are kept, and each would keep a piece of eight kilobytes of what passed by', () => {
    const names = new KnownNames();
    for (const name of ['loja', 'Ünï"\n', ''])
      expect(names.get(name).bytes.buffer.byteLength).toBe(names.get(name).bytes.length);
  });

  test('is written as JSON writes it, without quotes', () => {
    expect(new KnownNames().get('a"\n\ud800é').bytes.toString()).toBe('a\\"\\n\\ud800é');
  });
});
