import { EndpointWatch } from '../../../src/health/endpoint-watch';
import type { HealthRecord } from '../../../src/health/health-record';
import { IdsByInstance } from '../../../src/health/ids-by-instance';
import type { DestinationId } from '../../../src/pipeline/delivery';
import { turns } from '../../support/signals/signals';

const OWN = 'webhook:instance/loja' as DestinationId;
const FURTHER = 'webhook:instance/loja/crm' as DestinationId;
const OTHER = 'webhook:instance/outra' as DestinationId;
const GLOBAL = 'webhook:global' as DestinationId;

function setup() {
  const ids = new IdsByInstance();
  for (const id of [OWN, FURTHER, OTHER, GLOBAL]) ids.add(id);
  const compared: DestinationId[] = [];
  let looks = 0;
  const watch = new EndpointWatch({
    board: {
      get records() {
        looks++;
        return [OWN, FURTHER, OTHER, GLOBAL].map((id) => ({ id, state: 'failing', since: 0 }) as const);
      },
      recordOf: (id): HealthRecord => ({
        ...{ id, state: 'suspended', since: 0 },
        ...(id === FURTHER ? { by: 'person' } : {}),
      }),
      idsOf: (instance) => ids.of(instance),
      resume: async () => {},
      moved: async () => {},
      sendsTo: () => {},
    },
    rejections: { recordOf: () => undefined, idsOf: () => [], compare: async () => {} },
    endpointOf: async (id) => {
      compared.push(id);
      return { shown: '', print: '' };
    },
    onError: () => {},
  });
  return { ids, watch, compared, looks: () => looks };
}

test('changed settings of one instance concern its own destinations, and none of the others is looked at', async () => {
  const { watch, compared, looks } = setup();
  watch.settingsChanged('loja');
  await turns();
  // What a person suspended is resumed by a person.
  expect([compared, looks()]).toEqual([[OWN], 0]);
});

test('where any may have changed, all are compared', async () => {
  const { watch, compared } = setup();
  watch.settingsChanged(undefined);
  await turns();
  expect(compared).toEqual([OWN, OTHER, GLOBAL]);
});

test('one that another worker calls unwell is compared just after its settings changed: without that the other has another configuration', async () => {
  const { watch, compared } = setup();
  watch.becameUnwell(OWN);
  watch.becameUnwell(GLOBAL);
  await turns();
  expect(compared).toEqual([]);
  watch.settingsChanged('outra');
  await turns();
  compared.length = 0;
  for (const id of [OWN, OTHER, GLOBAL]) watch.becameUnwell(id);
  await turns();
  expect(compared).toEqual([OTHER]);
});

test('one is compared once all workers that live have the same address for it', async () => {
  const { watch, compared } = setup();
  watch.othersAgree(GLOBAL);
  await turns();
  expect(compared).toEqual([GLOBAL]);
});

test('destinations are found by the instance whose own they are, until they are deleted', () => {
  const { ids } = setup();
  expect([ids.of('loja'), ids.of('outra'), ids.of('nobody')]).toEqual([[OWN, FURTHER], [OTHER], []]);
  for (const id of [OWN, FURTHER, GLOBAL]) ids.delete(id);
  expect([ids.of('loja'), ids.of('outra')]).toEqual([[], [OTHER]]);
});
