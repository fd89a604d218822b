import type { OutgoingEvent } from '../support/clients/publisher';
import { keyOf, PlainClient } from '../support/clients/websockets';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';
import { PUSHER, PusherScenario } from '../support/pusher/scenario';
import { answering, ok } from '../support/servers/receiver';

jest.setTimeout(120_000);

const INSTANCE = 'loja';
const OWN_WEBHOOK = `webhook:instance/${INSTANCE}`;
const GROUP = '120363000000000001@g.us';
const PERSON = '5511988887777@s.whatsapp.net';

const eventOf = (id: string, key: object, event = 'messages.upsert'): OutgoingEvent => ({
  key: id,
  routingKey: event,
  body: () =>
    Buffer.from(
      JSON.stringify({
        event,
        instance: INSTANCE,
        data: {
          key: { id, ...key },
          messageType: 'conversation',
          messageTimestamp: Math.floor(Date.now() / 1000),
        },
        date_time: '2026-11-21T10:00:00.000Z',
      }),
    ),
});
const EVENTS = [
  eventOf('own-direct', { remoteJid: PERSON, fromMe: true }),
  eventOf('other-direct', { remoteJid: PERSON, fromMe: false }),
  eventOf('own-group', { remoteJid: GROUP, fromMe: true }),
  eventOf('other-group', { remoteJid: GROUP, fromMe: false }),
];

describe('conditions on content, in a worker', () => {
  let harness: PusherScenario;
  let gateway: GatewayHarness | undefined;
  const set = async (settings: object): Promise<void> => {
    const { code, stderr } = await harness.scenario.command(
      'settings',
      'set',
      INSTANCE,
      JSON.stringify(settings),
    );
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning:')]);
  };
  const webhook = (conditions: object) => ({
    webhook: { url: harness.scenario.receiver.url, ...conditions },
  });

  afterEach(async () => {
    await gateway?.close();
    gateway = undefined;
    await harness.close();
  });

  test('a webhook, Pusher and WebSocket clients each get what they want; the rest is discarded, and the audit holds', async () => {
    const websockets = { WEBSOCKET_ENABLED: 'true' };
    harness = await PusherScenario.start({
      ...websockets,
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      PUSHER_GLOBAL_FROM_ME: 'false',
      PUSHER_GLOBAL_FILTER: JSON.stringify({ 'data.key.remoteJid': { $endsWith: '@g.us' } }),
    });
    const { scenario } = harness;
    gateway = await GatewayHarness.start({ ...websockets, REDIS_PREFIX_KEY: scenario.name });
    await set({ ...webhook({ fromMe: true }), websocket: { chats: { only: [GROUP] } } });
    const worker = await scenario.startWorker();
    const client = await PlainClient.open(gateway.gateway.gatewayPort, {
      apikey: API_KEY,
      instance: INSTANCE,
    });
    await scenario.publishEvents(EVENTS);
    await scenario.untilAccepted(2);
    await harness.untilTaken(1);
    expect((await client.received(2)).map(keyOf).sort()).toEqual(['other-group', 'own-group']);
    const counts = { accepted: 4, parked: 0, dead: 0, difference: 0 };
    const isSettled = ({ accepted }: { accepted: number }): boolean => accepted === EVENTS.length;
    expect(await scenario.untilAudited(isSettled, OWN_WEBHOOK)).toMatchObject({
      ...counts,
      delivered: 2,
      discarded: 2,
    });
    expect(await scenario.untilAudited(isSettled, PUSHER)).toMatchObject({
      ...counts,
      delivered: 1,
      discarded: 3,
    });
    expect([...scenario.receiver.tallies.keys()].sort()).toEqual(['own-direct', 'own-group']);
    expect([...harness.taken.keys()]).toEqual(['other-group']);
    const metrics = await worker.metrics();
    expect(metrics.get('relay_discarded_total{destination="webhook",reason="filtered"}')).toBe(2);
    expect(metrics.get('relay_discarded_total{destination="pusher",reason="filtered"}')).toBe(3);
    await client.close();
    await scenario.stopWorkers();
  });

  test('a change applies to events that come after it, and not to what is parked', async () => {
    harness = await PusherScenario.start({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' });
    const { scenario } = harness;
    const { receiver } = scenario;
    await set(webhook({}));
    receiver.behaviour = answering(500);
    await scenario.startWorker();
    await scenario.publishEvents(EVENTS.slice(0, 1));
    await scenario.untilAudited(({ parked }) => parked === 1, OWN_WEBHOOK);
    await set(webhook({ fromMe: false }));
    receiver.behaviour = ok;
    await scenario.untilAccepted(1);
    expect(receiver.tallies.get('own-direct')?.accepted).toBe(1);
    await scenario.publishEvents(EVENTS.slice(1, 3));
    const audit = await scenario.untilAudited(({ accepted }) => accepted === 3, OWN_WEBHOOK);
    expect(audit).toMatchObject({ delivered: 2, discarded: 1, parked: 0 });
    expect(receiver.tallies.has('own-group')).toBe(false);
    await scenario.stopWorkers();
  });
});
