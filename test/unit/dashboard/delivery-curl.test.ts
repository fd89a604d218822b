import { execFileSync } from 'node:child_process';
import { addressOf, curlOf } from '../../../src/dashboard/delivery-curl';
import type { OwnApi } from '../../../src/dashboard/own-api';
import type { LoggedDelivery } from '../../../src/delivery-log/delivery-log';
import type { DestinationId } from '../../../src/pipeline/delivery';

const deliveryTo = (destination: string): LoggedDelivery => ({
  ...{ id: 'dlv_1', destination: destination as DestinationId, instance: 'loja', event: 'messages.upsert' },
  ...{
    message: '',
    chat: '',
    outcome: 'delivered',
    reason: '',
    at: 0,
    bytes: 1,
    records: [],
    bodyIn: undefined,
  },
});
const partsWith = (row: unknown) => ({
  api: {
    ask: async () => ({ isOk: true, status: 200, body: row, problems: [], warnings: [] }),
  } as unknown as OwnApi,
  destinations: { show: async () => ({ address: 'https://operator.example/hook' }) as never },
});

describe('a delivery as a command', () => {
  test('is for a shell what it is, whatever quotes the event has', () => {
    const body = `{"text":"it's $HOME \`id\` \\"quoted\\" !!"}`;
    const command = curlOf("https://a.example/it's", deliveryTo('webhook:global'), body);
    const args = execFileSync('sh', ['-c', command.replace(/^curl/, "printf '%s\\n'")])
      .toString()
      .split('\n');
    expect(args).toEqual(
      expect.arrayContaining(["https://a.example/it's", 'webhook-id: dlv_1', '--data-raw', body]),
    );
  });

  test('goes where the webhook goes, by events, too', async () => {
    const own = deliveryTo('webhook:instance/loja');
    const operator = { kind: 'operator' } as const;
    expect(await addressOf(partsWith({ url: 'https://a.example/hook' }), operator, own)).toBe(
      'https://a.example/hook',
    );
    const byEvents = { url: 'https://a.example/hook?x=1?2', webhookByEvents: true };
    expect(await addressOf(partsWith(byEvents), operator, own)).toBe(
      'https://a.example/hook/messages-upsert?x=1?2',
    );
    expect(await addressOf(partsWith(null), operator, own)).toBeUndefined();
  });

  test('is nothing for what is no request, and the operator’s address nothing for a tenant', async () => {
    const tenant = { kind: 'instance', instance: 'loja' } as const;
    const parts = partsWith(null);
    expect(await addressOf(parts, { kind: 'reader' }, deliveryTo('webhook:global'))).toBe(
      'https://operator.example/hook',
    );
    expect(await addressOf(parts, tenant, deliveryTo('webhook:global'))).toBeUndefined();
    expect(await addressOf(parts, { kind: 'operator' }, deliveryTo('websocket:global'))).toBeUndefined();
  });
});
