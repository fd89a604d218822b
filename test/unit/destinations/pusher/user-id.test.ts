import fc from 'fast-check';
import { userIdOf } from '../../../../src/destinations/pusher/gateway/user-id';

const text = fc.string({ minLength: 1, unit: fc.constantFrom('a', 'b', '/', '%', '2', 'F', 'é') });

test('users of two instances, and those of the hook, are never the same (finding 5.6)', () => {
  expect(userIdOf('b/c', 'instance', 'a')).not.toBe(userIdOf('c', 'instance', 'a/b'));
  fc.assert(
    fc.property(text, text, text, text, (instance, user, other, another) => {
      const same = instance === other && user === another;
      expect(userIdOf(user, 'instance', instance) === userIdOf(another, 'instance', other)).toBe(same);
      expect(userIdOf(user, 'instance', instance)).not.toBe(userIdOf(another, 'hook', undefined));
      expect(userIdOf(user, 'hook', undefined) === userIdOf(another, 'hook', undefined)).toBe(
        user === another,
      );
    }),
  );
});

test('ordinary names stay as they are', () => {
  expect(userIdOf('ann@example.com', 'instance', 'loja-centro')).toBe('loja-centro/ann@example.com');
  expect(userIdOf('loja-centro/ann', 'all', undefined)).toBe('loja-centro/ann');
  expect(userIdOf('42', 'hook', undefined)).toBe('42');
});
