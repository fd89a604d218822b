import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { Metrics } from '../../src/observability/metrics';
import { alertNames, dashboardQueries, groupsOf, MONITORING } from '../support/deploy/monitoring';
import { type Use, usesOf } from '../support/deploy/promql';
import { Scenario } from '../support/harness/scenario';
import { isInstalled, program } from '../support/processes/binaries';
import { freePort, HOST } from '../support/processes/ports';
import { fetchText, RelayProcess } from '../support/processes/relay';
import { PrivateRabbit } from '../support/servers/private-services';
import { answering } from '../support/servers/receiver';

jest.setTimeout(120_000);

/** Read by an alert, and exposed by RabbitMQ's own plugin. */
const OF_RABBITMQ = 'rabbitmq_global_publishers';
/** What Prometheus makes of a histogram's name. */
const SERIES = /_(?:bucket|sum|count)$/;

/** Promtool, as `npm test` found or installed it, or that of this machine. */
const promtool = process.env['PROMTOOL_BIN'] ?? (isInstalled('promtool') ? program('promtool') : undefined);

(promtool === undefined ? describe.skip : describe)('rules of Prometheus, by promtool', () => {
  const run = async (...args: readonly string[]): Promise<string> => {
    try {
      return (await promisify(execFile)(promtool ?? '', args)).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
      return `${stdout}${stderr}`;
    }
  };

  test.each(alertNames())('%s fires when it should, and not before', async (name) => {
    expect(await run('check', 'rules', join(MONITORING, 'rules', `${name}.yml`))).toMatch(
      /SUCCESS: \d rules/,
    );
    const said = await run('test', 'rules', join(MONITORING, 'tests', `${name}.test.yml`));
    expect(said).toMatch(/SUCCESS\s*$/);
  });
});

/** Everything that rules and dashboard read, with where. */
const USES: readonly (readonly [where: string, use: Use])[] = [
  ...alertNames().flatMap((name) =>
    groupsOf(name).flatMap(({ rules }) => rules.flatMap(({ expr }) => usesOf(expr).map(named(name)))),
  ),
  ...dashboardQueries().flatMap(([panel, expr]) => usesOf(expr).map(named(`dashboard: ${panel}`))),
];

function named(where: string): (use: Use) => readonly [string, Use] {
  return (use) => [where, use];
}

describe('what rules and dashboard read', () => {
  test('is exposed by a running worker and gateway, with these labels', async () => {
    const scenario = await Scenario.start();
    scenario.receiver.behaviour = answering(500);
    const gateway = await RelayProcess.start({ ...scenario.env, AUTHENTICATION_API_KEY: 'a-key' }, 'gateway');
    try {
      const worker = await scenario.startWorker();
      const supervisor = await scenario.startSupervised(1);
      await scenario.publish(20);
      // What is read once a minute is read last.
      const names = async (): Promise<string> => [...(await worker.metrics()).keys()].join('\n');
      await worker.until(
        async () => /relay_redis_at_risk\{check="persistence"/.test(await names()),
        30_000,
        'what is read once a minute',
      );
      await worker.until(async () => /relay_parked_total\{/.test(await names()), 30_000, 'parked deliveries');
      expect(missingOf(await exposedBy([worker, gateway, supervisor]))).toEqual([]);
    } finally {
      await gateway.kill();
      await scenario.close();
    }
  });

  test('of RabbitMQ is exposed by its plugin once somebody has published', async () => {
    const port = await freePort();
    const rabbit = await PrivateRabbit.start({
      plugins: ['rabbitmq_prometheus'],
      conf: `prometheus.tcp.ip = ${HOST}\nprometheus.tcp.port = ${port}\n`,
    });
    try {
      const connection = await connect(rabbit.uri);
      const channel = await connection.createConfirmChannel();
      channel.publish('amq.topic', 'messages.upsert', Buffer.from('{}'));
      await channel.waitForConfirms();
      const { body } = await fetchText(port, '/metrics');
      expect(body).toMatch(new RegExp(`^${OF_RABBITMQ}\\{protocol="amqp091"\\} 1$`, 'm'));
      await connection.close();
    } finally {
      await rabbit.dispose();
    }
  });
});

/** What is read although nothing exposes it. */
function missingOf(exposed: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return USES.filter(([, { metric }]) => metric !== OF_RABBITMQ).flatMap(([where, { metric, labels }]) => {
    const known = exposed.get(metric) ?? exposed.get(metric.replace(SERIES, ''));
    if (known === undefined) return [`${where}: ${metric}`];
    return [...labels].filter((label) => !known.has(label)).map((label) => `${where}: ${metric}{${label}}`);
  });
}

/**
 * Metrics that processes expose, with their labels. A metric whose labels have no values yet is exposed by name alone: which
 * labels it will have is known where it is declared.
 */
async function exposedBy(processes: readonly RelayProcess[]): Promise<Map<string, Set<string>>> {
  const { registry } = new Metrics();
  const exposed = new Map<string, Set<string>>();
  for (const [series] of (await Promise.all(processes.map((each) => each.metrics()))).flatMap((all) => [
    ...all,
  ])) {
    const name = series.split('{')[0] ?? '';
    const labels = exposed.get(name) ?? new Set();
    for (const [, label = ''] of series.matchAll(/[{,](\w+)="/g)) labels.add(label);
    exposed.set(name, labels);
  }
  for (const name of (await Promise.all(processes.map((each) => each.metricNames()))).flat()) {
    const declared = registry.getSingleMetric(name) as
      | { readonly labelNames?: readonly string[] }
      | undefined;
    exposed.set(name, new Set([...(exposed.get(name) ?? []), ...(declared?.labelNames ?? [])]));
  }
  return exposed;
}
