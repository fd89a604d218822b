import fc from 'fast-check';
import { IntakeBudget } from '../../../../src/sources/sqs/intake-budget';

const MB = 1_048_576;

test('never more messages than may be held, reserved ones included', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(20)), (most, wishes) => {
      const budget = new IntakeBudget(most, Number.MAX_SAFE_INTEGER);
      let reserved = 0;
      for (const wish of wishes) {
        const count = Math.min(wish, budget.free);
        budget.reserve(count);
        reserved += count;
        expect(reserved).toBeLessThanOrEqual(most);
      }
    }),
  );
});

test('one message alone always fits, however large', () => {
  const budget = new IntakeBudget(10, 1000);
  expect(budget.free).toBe(1);
  budget.enter(5 * MB);
  expect([budget.handOver(5 * MB), budget.free]).toEqual([true, 0]);
  budget.leave(5 * MB, true);
  expect([budget.messages, budget.bytes]).toEqual([0, 0]);
  expect(budget.free).toBeGreaterThanOrEqual(1);
});

test('after large messages fewer are asked for, and as many as before once they are small again', () => {
  const budget = new IntakeBudget(250, 16 * MB);
  const before = budget.free;
  budget.enter(4 * MB);
  budget.leave(4 * MB, false);
  expect(budget.free).toBe(4);
  for (let count = 0; count < 500; count++) {
    budget.enter(1000);
    budget.leave(1000, false);
  }
  expect(budget.free).toBeGreaterThanOrEqual(before);
});

test('what does not fit beside what is handed over waits', () => {
  const budget = new IntakeBudget(250, MB);
  for (const bytes of [MB / 2, MB / 2, MB / 4]) budget.enter(bytes);
  expect([budget.handOver(MB / 2), budget.handOver(MB / 2), budget.handOver(MB / 4)]).toEqual([
    true,
    true,
    false,
  ]);
  budget.leave(MB / 2, true);
  expect(budget.handOver(MB / 4)).toBe(true);
});

describe('files (finding 9.6)', () => {
  test('take their bytes before they are fetched, and never more than fit beside everything else', () => {
    const budget = new IntakeBudget(250, 10 * MB);
    budget.enter(4 * MB);
    expect([budget.takeClaim(7 * MB), budget.takeClaim(6 * MB), budget.bytes]).toEqual([
      false,
      true,
      10 * MB,
    ]);
    expect([budget.handOver(4 * MB), budget.handOver(1)]).toEqual([true, false]);
    budget.leaveClaim(6 * MB);
    expect([budget.bytes, budget.handOver(1)]).toEqual([4 * MB, true]);
  });

  test('together leave half of the bytes to messages; one alone may take more', () => {
    const budget = new IntakeBudget(250, 10 * MB);
    expect([budget.takeClaim(3 * MB), budget.takeClaim(3 * MB), budget.takeClaim(2 * MB)]).toEqual([
      true,
      false,
      true,
    ]);
    budget.leaveClaim(5 * MB);
    expect(budget.takeClaim(9 * MB)).toBe(true);
  });

  test('take no slot of messages', () => {
    const budget = new IntakeBudget(2, 10 * MB);
    budget.takeClaim(MB);
    expect(budget.free).toBe(2);
  });

  test('that wait have room kept for them as messages leave', () => {
    const budget = new IntakeBudget(250, 10 * MB);
    budget.await(10 * MB);
    budget.enter(1000);
    expect(budget.free).toBe(0);
    budget.await(0);
    expect(budget.free).toBeGreaterThan(0);
  });

  test('whatever comes and goes, no more bytes than may be held are taken', () => {
    const size = fc.integer({ min: 1, max: 6 * MB });
    const step = fc.record({ kind: fc.constantFrom('message', 'file', 'message left', 'file left'), size });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const budget = new IntakeBudget(250, 10 * MB);
        const handed: number[] = [];
        const files: number[] = [];
        const take = (bytes: number): void => {
          budget.enter(bytes);
          if (budget.handOver(bytes)) handed.push(bytes);
          else budget.leave(bytes, false);
        };
        const acts: Readonly<Record<string, (bytes: number) => void>> = {
          message: take,
          file: (bytes) => void (budget.takeClaim(bytes) && files.push(bytes)),
          'message left': () => handed.splice(0, 1).forEach((bytes) => void budget.leave(bytes, true)),
          'file left': () => files.splice(0, 1).forEach((bytes) => void budget.leaveClaim(bytes)),
        };
        for (const { kind, size: bytes } of steps) {
          acts[kind]?.(bytes);
          const sum = [...handed, ...files].reduce((total, each) => total + each, 0);
          expect(sum).toBeLessThanOrEqual(10 * MB);
        }
      }),
    );
  });
});
