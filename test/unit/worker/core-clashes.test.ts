import { CoreClashes } from '../../../src/worker/core-clashes';

function setup() {
  const told: unknown[] = [];
  const clashes = new CoreClashes({ warn: (_message, fields) => told.push(fields?.['instance']) });
  return {
    told,
    hear: (core: 'api' | 'go', ...names: string[]) => {
      for (const instance of names) clashes.look({ core, instance });
    },
  };
}

it('an instance that both cores have is told of once, whichever spoke first', () => {
  const { told, hear } = setup();
  hear('go', 'vendas', 'vendas');
  hear('api', 'vendas', 'vendas');
  hear('api', 'loja');
  hear('go', 'loja');
  hear('api', 'loja');
  hear('go', 'vendas');
  expect(told).toEqual(['vendas', 'loja']);
});

it('instances of one core are not', () => {
  const { told, hear } = setup();
  hear('go', 'a', 'b');
  hear('api', 'c', 'd', 'c');
  expect(told).toEqual([]);
});
