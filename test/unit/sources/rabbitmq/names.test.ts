import fc from 'fast-check';
import { instanceFlaw, nameFlaw } from '../../../../src/sources/rabbitmq/name-flaws';

describe('names of exchanges, queues and routing keys', () => {
  test.each([
    ['', 'NAME_EMPTY'],
    ['x'.repeat(256), 'NAME_TOO_LONG'],
    ['日'.repeat(86), 'NAME_TOO_LONG'],
    ['a\n', 'NAME_CHARACTERS'],
    ['a\u0000b', 'NAME_CHARACTERS'],
    ['a\u0085b', 'NAME_CHARACTERS'],
    ['a\ud800', 'NAME_CHARACTERS'],
  ])('%j is refused before it is sent (finding 2.2)', (name, code) => {
    expect(nameFlaw(name)?.code).toBe(code);
  });

  test.each(['x'.repeat(255), '日'.repeat(85), 'São.1', '😀', 'amq.topic', 'a b'])('%j is taken', (name) => {
    expect(nameFlaw(name)).toBeUndefined();
  });

  test('what is taken is at most 255 bytes and comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        fc.pre(nameFlaw(name) === undefined);
        const sent = Buffer.from(name);
        expect(sent.length).toBeLessThanOrEqual(255);
        expect(sent.toString()).toBe(name);
      }),
    );
  });

  test('an instance has no name of the broker, and not that of the global exchange', () => {
    expect(instanceFlaw('amq.topic', [])?.code).toBe('NAME_RESERVED');
    expect(instanceFlaw('evolution_exchange', ['evolution_exchange'])?.code).toBe('NAME_TAKEN');
    expect(instanceFlaw('loja.centro', ['evolution_exchange'])).toBeUndefined();
  });
});
