import { FilterTrials } from '../../../src/dashboard/filter-trials';
import type { ApiAnswer } from '../../../src/dashboard/own-api';
import type { Viewer } from '../../../src/dashboard/viewer';
import type { LoggedDelivery } from '../../../src/delivery-log/delivery-log';
import { globalId } from '../../../src/destinations/destination-ids';
import { type Deferred, deferred, turns } from '../../support/signals/signals';

const LOJA: Viewer = { kind: 'instance', instance: 'loja' };
const PASSES: ApiAnswer = {
  ...{ isOk: true, status: 200, problems: [], warnings: [] },
  body: { event: 'call', from: 'request', given: { receives: true } },
};

function delivery(id: string): LoggedDelivery {
  return {
    ...{ id, destination: globalId('webhook'), instance: 'loja', event: 'call', message: '', chat: '' },
    ...{ outcome: 'delivered', reason: '', at: 1, bytes: 2, records: [], bodyIn: undefined },
  };
}

/** A log of three events, and an API that answers when the test says so. */
function setup() {
  const asked: Deferred<ApiAnswer>[] = [];
  const read: string[] = [];
  const deliveries = ['dlv_a', 'dlv_b', 'dlv_c'].map((id) => delivery(`${id}${'x'.repeat(29)}`));
  const trials = new FilterTrials({
    api: {
      ask: () => {
        const one = deferred<ApiAnswer>();
        asked.push(one);
        return one.promise;
      },
    },
    reader: {
      search: async () => ({ deliveries, more: false, coverage: { since: undefined, skipped: 0 } }),
      bodyOf: async ({ id }) => {
        read.push(id.slice(0, 5));
        return Buffer.from('{}');
      },
    },
  });
  return { trials, asked, read };
}

describe('conditions that are tried on the latest events', () => {
  test('hold one event at a time, as ten large ones and many who try took gigabytes', async () => {
    const { trials, asked, read } = setup();
    const trial = trials.run(LOJA, 'loja', {});
    for (const [index, event] of ['dlv_a', 'dlv_b', 'dlv_c'].entries()) {
      await turns();
      expect(read[index]).toBe(event);
      expect(read).toHaveLength(index + 1);
      asked[index]?.resolve(PASSES);
    }
    expect(await trial).toMatchObject({ kind: 'tried', from: 'log', events: [{}, {}, {}] });
  });

  test('are tried two at a time for one instance; the operator waits for nobody', async () => {
    const { trials, asked } = setup();
    const begun = [
      trials.run(LOJA, 'loja', {}),
      trials.run(LOJA, 'loja', {}),
      trials.run({ kind: 'operator' }, 'loja', {}),
    ];
    await expect(trials.run(LOJA, 'loja', {})).rejects.toMatchObject({ status: 429 });
    await turns();
    expect(asked).toHaveLength(3);
    for (let index = 0; index < 9; index++) {
      asked[index]?.resolve(PASSES);
      await turns();
    }
    expect(await Promise.all(begun)).toHaveLength(3);
  });
});
