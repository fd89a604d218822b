import { InTurn } from '../../../src/pipeline/in-turn';
import { deferred, turns } from '../../support/signals/signals';

describe('one thing after the other', () => {
  test('what is ready goes on at once where nothing is before it', () => {
    const seen: number[] = [];
    new InTurn().add(
      'a',
      1,
      (value) => seen.push(value),
      () => {},
    );
    expect(seen).toEqual([1]);
  });

  test('what is ready sooner waits for what was added before it', async () => {
    const inTurn = new InTurn();
    const seen: (number | string)[] = [];
    const [first, second] = [deferred<number>(), deferred<number>()];
    const add = (work: number | Promise<number>): void =>
      inTurn.add(
        'a',
        work,
        (value) => seen.push(value),
        () => seen.push('failed'),
      );
    add(first.promise);
    add(second.promise);
    add(3);
    second.reject(new Error('no'));
    await turns();
    expect(seen).toEqual([]);
    first.resolve(1);
    await turns();
    expect(seen).toEqual([1, 'failed', 3]);
    add(4);
    expect(seen).toEqual([1, 'failed', 3, 4]);
  });

  test('what takes long to get ready holds up its own line alone', async () => {
    const inTurn = new InTurn();
    const seen: string[] = [];
    const add = (line: string, work: string | Promise<string>): void =>
      inTurn.add(
        line,
        work,
        (value) => seen.push(value),
        () => {},
      );
    const first = deferred<string>();
    add('a', first.promise);
    add('a', 'a2');
    add('b', Promise.resolve('b1'));
    add('b', 'b2');
    await turns();
    expect(seen).toEqual(['b1', 'b2']);
    first.resolve('a1');
    await turns();
    expect(seen).toEqual(['b1', 'b2', 'a1', 'a2']);
  });
});
