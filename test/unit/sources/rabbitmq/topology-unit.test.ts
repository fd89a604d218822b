import { SILENT } from '../../../../src/observability/logging';
import { ExchangeUnit } from '../../../../src/sources/rabbitmq/exchange-unit';
import type { ConsumedExchange, TopologyOptions } from '../../../../src/sources/rabbitmq/topology';
import type { UnitResult } from '../../../../src/sources/rabbitmq/topology-unit';

const TOPOLOGY: TopologyOptions = { mode: 'dedicated', queue: 'relay', prefixKey: '' };
const READY: UnitResult = { queues: ['a', 'b'], refused: [] };
const REFUSED: UnitResult = {
  queues: [],
  refused: [{ what: 'exchange', code: 'AMQP_406', text: 'no', isEssential: true }],
};
const NOW = 1_000_000;
const RECHECK_MS = 60_000;
const FIRST_PAUSE_MS = 1000;

const operators: ConsumedExchange = { name: 'global', events: 'all' };
const ofInstance: ConsumedExchange = { name: 'loja', instance: 'loja', events: 'all' };

function unitOf(exchange = operators) {
  const unit = new ExchangeUnit(exchange, SILENT);
  return { unit, settle: (result: UnitResult) => unit.settle(result, NOW, RECHECK_MS) };
}

describe('a unit of the topology', () => {
  it('is looked at once it is wanted, and again after the whole time where nothing was refused', () => {
    const { unit, settle } = unitOf();
    expect([unit.state, unit.isDue(0)]).toEqual(['untried', true]);
    settle(READY);
    expect([unit.state, unit.queues]).toEqual(['ready', ['a', 'b']]);
    expect([unit.isDue(NOW + RECHECK_MS - 1), unit.isDue(NOW + RECHECK_MS)]).toEqual([false, true]);
  });

  it('is tried again soon where it was refused, each time after a longer pause until it is well', () => {
    const { unit, settle } = unitOf();
    const pauses = (count: number): boolean[] =>
      Array.from({ length: count }, (_, refusals) => {
        settle(REFUSED);
        const dueAt = NOW + FIRST_PAUSE_MS * 2 ** refusals;
        return !unit.isDue(dueAt - 1) && unit.isDue(dueAt);
      });
    expect([pauses(3), unit.state]).toEqual([[true, true, true], 'refused']);
    settle(READY);
    expect([unit.state, pauses(1)]).toEqual(['ready', [true]]);
  });

  it.each(['untried', 'ready', 'refused'] as const)('that is %s becomes a suspect', (state) => {
    const { unit, settle } = unitOf();
    if (state !== 'untried') settle(state === 'ready' ? READY : REFUSED);
    expect(unit.state).toBe(state);
    unit.suspect();
    expect(unit.state).toBe('suspect');
  });

  it('is no suspect any more once the broker has answered, whatever it says', () => {
    const { unit, settle } = unitOf();
    unit.suspect();
    settle(READY);
    expect(unit.state).toBe('ready');
    unit.suspect();
    settle(REFUSED);
    expect(unit.state).toBe('refused');
  });

  it('stays a suspect when it is wanted in another way: each change would cost the connection of all', () => {
    const { unit } = unitOf(ofInstance);
    unit.suspect();
    unit.postpone(NOW);
    unit.change({ ...ofInstance, events: new Set(['CALL']) }, TOPOLOGY);
    expect([unit.state, unit.isDue(NOW - 1), unit.isDue(NOW)]).toEqual(['suspect', false, true]);
  });

  it('that a suspicion is postponed for is tried no sooner', () => {
    const { unit } = unitOf();
    unit.postpone(NOW);
    expect([unit.isDue(NOW - 1), unit.isDue(NOW)]).toEqual([false, true]);
  });

  it('loses the queue whose subscription the broker ended, and that one alone', () => {
    const { unit, settle } = unitOf();
    settle(READY);
    unit.lose('a', NOW + 1);
    expect([unit.queues, unit.state]).toEqual([['b'], 'ready']);
    expect([unit.isDue(NOW), unit.isDue(NOW + 1)]).toEqual([false, true]);
  });

  it('of the operator is out while it is refused or a suspect; one of an instance never is', () => {
    const out = (exchange: ConsumedExchange): boolean[] => {
      const { unit, settle } = unitOf(exchange);
      const steps = [() => settle(READY), () => settle(REFUSED), () => unit.suspect(), () => settle(READY)];
      return steps.map((step) => {
        step();
        return unit.isOperatorsOut;
      });
    };
    expect(out(operators)).toEqual([false, true, true, false]);
    expect(out(ofInstance)).toEqual([false, false, false, false]);
  });
});
