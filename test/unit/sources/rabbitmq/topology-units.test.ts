import { SILENT } from '../../../../src/observability/logging';
import { QueueTally } from '../../../../src/sources/rabbitmq/queue-tally';
import { Refusals } from '../../../../src/sources/rabbitmq/refusals';
import type { ConsumedExchange, TopologyOptions } from '../../../../src/sources/rabbitmq/topology';
import type { TopologyUnit } from '../../../../src/sources/rabbitmq/topology-unit';
import { TopologyUnits } from '../../../../src/sources/rabbitmq/topology-units';
import { UnwantedBindings } from '../../../../src/sources/rabbitmq/unwanted-bindings';

const TOPOLOGY: TopologyOptions = { mode: 'dedicated', queue: 'relay', prefixKey: '' };
const LOJA: ConsumedExchange = { name: 'loja', instance: 'loja', events: 'all' };
const OTHER: ConsumedExchange = { ...LOJA, events: new Set(['CALL']) };

function setup() {
  const units = new TopologyUnits({
    queues: [],
    recheckMs: 60_000,
    tally: new QueueTally(() => {}),
    refusals: new Refusals(SILENT),
    unwanted: new UnwantedBindings({ topology: TOPOLOGY, notes: undefined, log: SILENT }),
    log: SILENT,
  });
  const due = (): string[] => units.takeDue(() => true).map(({ key }) => key);
  const suspects = (): string[] => units.dueSuspects(0).map(({ key }) => key);
  const suspect = (exchange: ConsumedExchange): void => {
    units.put(exchange, TOPOLOGY);
    const taken: readonly TopologyUnit[] = units.takeDue(() => true);
    for (const unit of taken) unit.suspect();
  };
  return { units, due, suspects, suspect };
}

describe('an exchange over which the broker closes the connection', () => {
  it('is asked for over the connection of all no more, however often its settings change', () => {
    const { units, due, suspects, suspect } = setup();
    suspect(LOJA);
    expect(units.put(OTHER, TOPOLOGY)).toBe(true);
    units.markAllDue();
    expect([due(), suspects()]).toEqual([[], ['instance loja']]);
  });

  it('nor when its settings are removed and set again', () => {
    const { units, due, suspects, suspect } = setup();
    suspect(LOJA);
    units.drop('loja');
    expect([due(), suspects()]).toEqual([[], []]);
    units.put(LOJA, TOPOLOGY);
    expect([due(), suspects()]).toEqual([[], ['instance loja']]);
  });

  it('is one like any other once the broker has answered', () => {
    const { units, due, suspect } = setup();
    suspect(LOJA);
    const [unit] = units.dueSuspects(0);
    if (unit !== undefined) units.settle(unit, { queues: [], refused: [] });
    units.drop('loja');
    units.put(LOJA, TOPOLOGY);
    expect(due()).toEqual(['instance loja']);
  });
});
