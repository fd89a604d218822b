import { join } from 'node:path';
import { Scenario } from '../support/harness/scenario';
import { freePort, HOST } from '../support/processes/ports';
import { OtlpCollector } from '../support/servers/otlp-collector';
import { answering, ok } from '../support/servers/receiver';

jest.setTimeout(120_000);

const LOADED = join(__dirname, '../support/processes/loaded-modules.cjs');

let collector: OtlpCollector;
let scenario: Scenario | undefined;
beforeEach(async () => {
  collector = await OtlpCollector.start();
});
afterEach(async () => {
  await scenario?.close();
  scenario = undefined;
  await collector.close();
});

async function traced(env: Readonly<Record<string, string>> = {}): Promise<Scenario> {
  scenario = await Scenario.start({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=a%20b',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
      WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '600',
      WEBHOOK_RETRY_MAX_DELAY_SECONDS: '600',
      ...env,
    },
  });
  return scenario;
}

describe('a trace', () => {
  test('goes from the source to each attempt, also where another worker makes it, and on to the webhook', async () => {
    const relay = await traced();
    relay.receiver.behaviour = answering(500);
    const first = await relay.startWorker({ OTEL_SERVICE_NAME: 'first' });
    await relay.publish(1);
    await relay.untilAudited(({ parked }) => parked === 1);
    // A drain sends what is left.
    await relay.stopWorkers();
    relay.receiver.behaviour = ok;
    await relay.startWorker({ OTEL_SERVICE_NAME: 'second' });
    await relay.makeDue();
    await relay.untilAllAccepted();
    await relay.untilAudited(({ delivered }) => delivered === 1);
    await relay.stopWorkers();

    expect(first.isRunning).toBe(false);
    const [event, ...otherEvents] = collector.named('receive messages.upsert');
    const attempts = collector.named('attempt webhook');
    expect([otherEvents, collector.spans.length]).toEqual([[], 3]);
    expect(event).toMatchObject({
      parentSpanId: '',
      attributes: { 'messaging.system': 'rabbitmq', 'relay.settlement': 'ack' },
      resource: { 'service.name': 'first', 'deployment.environment': 'test' },
    });
    const inTrace = { traceId: event?.traceId, parentSpanId: event?.spanId };
    expect(attempts).toEqual([
      expect.objectContaining({
        ...inTrace,
        isError: true,
        attributes: expect.objectContaining({
          'relay.attempt': 1,
          'relay.outcome': 'failed',
          'http.response.status_code': 500,
          'relay.destination': 'webhook:global',
        }),
      }),
      expect.objectContaining({
        ...inTrace,
        isError: false,
        attributes: expect.objectContaining({ 'relay.attempt': 2, 'relay.outcome': 'delivered' }),
        resource: expect.objectContaining({ 'service.name': 'second' }),
      }),
    ]);
    const [tally] = relay.receiver.tallies.values();
    expect(tally?.traceparents).toEqual(attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
    expect(new Set(collector.requests)).toEqual(new Set(['POST /v1/traces application/json']));
    for (const headers of collector.headers) expect(headers['x-team']).toBe('a b');
  });

  test('is made of as many events as were asked for; the others say so to webhooks', async () => {
    const relay = await traced({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' });
    await relay.startWorker();
    await relay.publish(5);
    await relay.untilAllAccepted();
    await relay.stopWorkers();
    expect(collector.spans).toEqual([]);
    for (const { traceparents } of relay.receiver.tallies.values())
      expect(traceparents).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)]);
  });

  test('costs no event and no drain where the collector is away; that is logged', async () => {
    const relay = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://${HOST}:${await freePort()}` });
    const worker = await relay.startWorker();
    await relay.publish(20);
    await relay.untilAllAccepted();
    await worker.untilLogged('traces cannot be sent');
    await relay.stopWorkers();
    expect(worker.log).not.toContain('ECONNREFUSED');
  });
});

describe('OpenTelemetry', () => {
  test.each([
    ['is not loaded where nobody asks for traces', '', /files of OpenTelemetry: 0\n/],
    ['is loaded where somebody does', 'collector', /files of OpenTelemetry: [1-9]/],
  ])('%s', async (_what, asked, said) => {
    const relay = await traced({
      OTEL_EXPORTER_OTLP_ENDPOINT: asked === '' ? '' : collector.url,
      NODE_OPTIONS: `--require ${LOADED}`,
    });
    const worker = await relay.startWorker();
    await relay.publish(1);
    await relay.untilAllAccepted();
    await relay.stopWorkers();
    expect(worker.log).toMatch(said);
    const [tally] = relay.receiver.tallies.values();
    expect(tally?.traceparents).toHaveLength(asked === '' ? 0 : 1);
  });
});
