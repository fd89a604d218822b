import { PlainClient } from '../support/clients/websockets';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';
import { PUSHER, PusherScenario } from '../support/pusher/scenario';
import { HttpTarget } from '../support/servers/http-target';
import { fixture } from '../support/values/events';

jest.setTimeout(120_000);

const INSTANCE = 'loja-centro';
const NORMALISE = { bytes: true };

/** The part of a text event of 2.3.6 that is bytes, as each side has it. */
interface Body {
  readonly data: { readonly message: { readonly messageContextInfo: { readonly messageSecret: unknown } } };
}
const secretOf = (text: string): unknown =>
  (JSON.parse(text) as Body).data.message.messageContextInfo.messageSecret;

test('normalise.bytes: every kind of destination receives base64 where it asks for it, and the event as it came where not', async () => {
  const websockets = { WEBSOCKET_ENABLED: 'true' };
  const harness = await PusherScenario.start({
    ...websockets,
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    PUSHER_GLOBAL_NORMALISE: JSON.stringify(NORMALISE),
  });
  const { scenario, server } = harness;
  const gateway = await GatewayHarness.start({ ...websockets, REDIS_PREFIX_KEY: scenario.name });
  const [asking, plain] = [await HttpTarget.start(), await HttpTarget.start()];
  try {
    const settings = {
      webhook: { url: asking.url, normalise: NORMALISE },
      webhooks: { plain: { url: plain.url, base64: true } },
      websocket: { normalise: NORMALISE },
    };
    const set = await scenario.command('settings', 'set', INSTANCE, JSON.stringify(settings));
    expect(set.code).toBe(0);
    await scenario.startWorker();
    const client = await PlainClient.open(gateway.gateway.gatewayPort, {
      apikey: API_KEY,
      instance: INSTANCE,
    });
    const body = fixture('messages.upsert.json');
    await scenario.publishEvents([{ key: 'one', routingKey: 'messages.upsert', body: () => body }]);
    const bytes = secretOf(body.toString()) as Readonly<Record<string, number>>;
    const base64 = Buffer.from(Object.values(bytes)).toString('base64');
    const received = async (target: HttpTarget): Promise<string> =>
      (await target.received.count(1))[0]?.body.toString() ?? '';
    expect(secretOf(await received(asking))).toBe(base64);
    expect(secretOf(await received(plain))).toEqual(bytes);
    const [event] = await client.received(1);
    expect(secretOf(JSON.stringify(event))).toBe(base64);
    await scenario.untilAudited(({ delivered }) => delivered === 1, PUSHER);
    expect(secretOf(server.published.all[0]?.data ?? '')).toBe(base64);
    await client.close();
    await scenario.stopWorkers();
  } finally {
    await Promise.all([asking.stop(), plain.stop(), gateway.close()]);
    await harness.close();
  }
});
