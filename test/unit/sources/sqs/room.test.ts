import fc from 'fast-check';
import { Room } from '../../../../src/sources/sqs/intake-budget';

const MB = 1_048_576;

test('never more messages than may be held, reserved ones included', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(20)), (most, wishes) => {
      const room = new Room(most, Number.MAX_SAFE_INTEGER);
      let reserved = 0;
      for (const wish of wishes) {
        const count = Math.min(wish, room.free);
        room.reserve(count);
        reserved += count;
        expect(reserved).toBeLessThanOrEqual(most);
      }
    }),
  );
});

test('one message alone always fits, however large', () => {
  const room = new Room(10, 1000);
  expect(room.free).toBe(1);
  room.enter(5 * MB);
  expect([room.handOver(5 * MB), room.free]).toEqual([true, 0]);
  room.leave(5 * MB, true);
  expect([room.messages, room.bytes]).toEqual([0, 0]);
  expect(room.free).toBeGreaterThanOrEqual(1);
});

test('after large messages fewer are asked for, and as many as before once they are small again', () => {
  const room = new Room(250, 16 * MB);
  const before = room.free;
  room.enter(4 * MB);
  room.leave(4 * MB, false);
  expect(room.free).toBe(4);
  for (let count = 0; count < 500; count++) {
    room.enter(1000);
    room.leave(1000, false);
  }
  expect(room.free).toBeGreaterThanOrEqual(before);
});

test('what does not fit beside what is handed over waits', () => {
  const room = new Room(250, MB);
  for (const bytes of [MB / 2, MB / 2, MB / 4]) room.enter(bytes);
  expect([room.handOver(MB / 2), room.handOver(MB / 2), room.handOver(MB / 4)]).toEqual([true, true, false]);
  room.leave(MB / 2, true);
  expect(room.handOver(MB / 4)).toBe(true);
});

test('a body that is replaced by a larger one takes more room', () => {
  const room = new Room(250, MB);
  room.enter(100);
  room.handOver(100);
  room.resize(100, MB);
  expect([room.bytes, room.free]).toEqual([MB, 0]);
  room.leave(MB, true);
  expect(room.bytes).toBe(0);
});
