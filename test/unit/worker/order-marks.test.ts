import { MARK_AGAIN_MS, OrderMarks } from '../../../src/worker/order-marks';

test('a marker is sent once, and again where it may have got lost', () => {
  const marks = new OrderMarks();
  expect([marks.take('join 1 a', 0), marks.take('join 1 a', MARK_AGAIN_MS - 1)]).toEqual([true, false]);
  expect([marks.take('join 1 b', 1), marks.take('join 1 a', MARK_AGAIN_MS)]).toEqual([true, true]);
});

test('however often destinations are ordered and no longer are, only the last ones are remembered', () => {
  const marks = new OrderMarks();
  for (let time = 0; time < 1000; time++) marks.take(`join ${time} a`, time * 1000);
  expect(marks.size).toBeLessThanOrEqual(MARK_AGAIN_MS / 1000);
});
