import { PermitStock } from '../../../src/rates/permit-stock';

const LIFE_MS = 100;

describe('permits that a worker holds', () => {
  it('are used oldest first, and counted', () => {
    const stock = new PermitStock(LIFE_MS);
    expect(
      stock.add(
        [
          { slot: 1, count: 2 },
          { slot: 2, count: 1 },
        ],
        0,
      ),
    ).toBe(3);
    stock.add([{ slot: 3, count: 1 }], 10);
    stock.take();
    stock.take();
    expect(stock.count).toBe(2);
    stock.expire(LIFE_MS + 10);
    expect([stock.count, stock.report()]).toEqual([
      0,
      {
        unused: [
          { slot: 2, count: 1 },
          { slot: 3, count: 1 },
        ],
        owed: 0,
      },
    ]);
  });

  it('are given back once where nobody used them in time, and no sooner', () => {
    const stock = new PermitStock(LIFE_MS);
    stock.add([{ slot: 1, count: 2 }], 0);
    stock.expire(LIFE_MS - 1);
    expect([stock.count, stock.hasUnused]).toEqual([2, false]);
    stock.expire(LIFE_MS);
    expect([stock.count, stock.hasUnused]).toEqual([0, true]);
    expect(stock.report().unused).toEqual([{ slot: 1, count: 2 }]);
    expect(stock.report()).toEqual({ unused: [], owed: 0 });
  });

  it('that are used although there are none are owed, again where the question failed', () => {
    const stock = new PermitStock(LIFE_MS);
    for (let count = 0; count < 3; count++) stock.take();
    const told = stock.report();
    expect(told.owed).toBe(3);
    stock.take();
    stock.oweAgain(told);
    expect(stock.report().owed).toBe(4);
  });

  it('that come too late to be used are given back', () => {
    const stock = new PermitStock(LIFE_MS);
    stock.addUnused([{ slot: 1, count: 5 }]);
    expect([stock.count, stock.report().unused]).toEqual([0, [{ slot: 1, count: 5 }]]);
  });
});
