import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { variablesOf } from '../../../src/config/load';
import { MODULES } from '../../../src/modules';
import { VERSION } from '../../../src/version';
import { helm } from '../../support/deploy/helm';
import { kustomize, readManifests } from '../../support/deploy/kustomize';
import type { Manifest } from '../../support/deploy/manifest';
import { breachesOf } from '../../support/deploy/policies';
import { faultsOf } from '../../support/deploy/schemas';
import { program } from '../../support/processes/binaries';

const IMAGE = `"image":"evolution-relay:${VERSION}"`;

const FOLDER = join(__dirname, '../../../deploy/kubernetes');
const CHART = join(FOLDER, 'chart');
const KUSTOMIZATIONS = ['base', ...readdirSync(join(FOLDER, 'overlays')).map((name) => `overlays/${name}`)];
const VALUES = readdirSync(join(CHART, 'ci'));
/** What the Secret that the manifests refer to holds. */
const SECRET = {
  RABBITMQ_URI: 'amqp://a:b@rabbitmq',
  REDIS_URI: 'redis://redis',
  AUTHENTICATION_API_KEY: '5d1a7c0e9b3f4e68a2d0c7f1',
};

const valuesOf = (name: string): Parameters<typeof helm>[1] =>
  parse(readFileSync(join(CHART, 'ci', name), 'utf8')) as Parameters<typeof helm>[1];

const RELEASES: readonly (readonly [name: string, render: () => readonly Manifest[]])[] = [
  ...KUSTOMIZATIONS.map((name) => [`kustomize ${name}`, () => kustomize(join(FOLDER, name))] as const),
  ...VALUES.map((name) => [`chart with ${name}`, () => helm(CHART, valuesOf(name)).manifests] as const),
];

/** Kustomize itself, where this machine has it. */
const kubectl = ((): string | undefined => {
  try {
    return program('kubectl');
  } catch {
    return undefined;
  }
})();

describe.each(RELEASES)('%s', (_name, render) => {
  const manifests = render();

  test('is what the schemas of Kubernetes, KEDA and the Prometheus operator know', () => {
    expect(manifests.length).toBeGreaterThan(2);
    expect(manifests.flatMap(faultsOf)).toEqual([]);
  });

  test('breaks no policy', () => {
    expect(breachesOf(manifests)).toEqual([]);
  });

  test('gives each thing one name', () => {
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test('configures a relay that starts without a warning', () => {
    const { data = {} } =
      manifests.find(({ kind, data: map }) => kind === 'ConfigMap' && map?.['LOG_FORMAT']) ?? {};
    const { warnings } = MODULES.loadConfig(tmpdir(), { ...data, ...SECRET });
    expect(warnings).toEqual([]);
  });
});

(kubectl === undefined ? describe.skip : describe)('what tests make of kustomizations', () => {
  test.each(KUSTOMIZATIONS)('is what kubectl makes of %s', (name) => {
    const made = execFileSync(kubectl ?? '', ['kustomize', join(FOLDER, name)], { encoding: 'utf8' });
    const sorted = (manifests: readonly Manifest[]): readonly Manifest[] =>
      [...manifests].sort((a, b) =>
        `${a.kind}${a.metadata.name}`.localeCompare(`${b.kind}${b.metadata.name}`),
      );
    expect(sorted(kustomize(join(FOLDER, name)))).toEqual(sorted(readManifests(made)));
  });
});

/** Workers follow the queue of RabbitMQ. */
const FOLLOWING = { enabled: true, rabbitmq: { enabled: true } };
const VARIABLES = variablesOf(MODULES.configParts);
/** Those that hold a secret, by the names that hosting platforms have for them, too. */
const SECRET_NAMES = [...Object.keys(VARIABLES), ...Object.keys(MODULES.platformNames)].filter(
  (name) => VARIABLES[MODULES.platformNames[name] ?? name]?.secret === true,
);

describe('the chart', () => {
  test.each(SECRET_NAMES)('refuses %s among its variables: it belongs into the Secret', (name) => {
    expect(() => helm(CHART, { existingSecret: 'x', config: { [name]: 'x' } })).toThrow(name);
  });

  test('has a schema that Helm reads: its regular expressions are those of Go, which look neither ahead nor behind', () => {
    const schema = readFileSync(join(CHART, 'values.schema.json'), 'utf8');
    const patterns = [...schema.matchAll(/"pattern": ("(?:[^"\\]|\\.)*")/g)].map(
      ([, text = '""']) => JSON.parse(text) as string,
    );
    expect(patterns.length).toBeGreaterThan(3);
    expect(patterns.filter((pattern) => /\(\?[=!<]|\\[1-9]/.test(pattern))).toEqual([]);
  });

  test('makes workers follow all queues together, as they see them', () => {
    const { manifests } = helm(CHART, {
      existingSecret: 'x',
      autoscaling: { enabled: true, depth: { enabled: true, messagesPerWorker: 500 } },
    });
    expect(manifests.flatMap(faultsOf)).toEqual([]);
    expect(breachesOf(manifests)).toEqual([]);
    const scaled = manifests.find(({ kind }) => kind === 'ScaledObject');
    expect(scaled?.spec?.['triggers']).toContainEqual({
      type: 'prometheus',
      metadata: {
        serverAddress: 'http://prometheus-operated.monitoring:9090',
        query: 'sum(max by (queue) (relay_source_queue_depth{namespace="messaging"}))',
        threshold: '500',
        ignoreNullValues: 'true',
      },
    });
  });

  test.each([
    ['without the name of a Secret', {}, 'existingSecret'],
    ['with a misspelt value', { existingSecret: 'x', autoscalling: {} }, 'autoscalling'],
    ['with a latest image', { existingSecret: 'x', image: { tag: 'latest' } }, 'image/tag'],
    [
      'with a number among variables, which Helm writes with an exponent',
      { existingSecret: 'x', config: { A: 1 } },
      'config/A',
    ],
    ['without limits', { existingSecret: 'x', worker: { resources: { limits: null } } }, 'resources/limits'],
    [
      'with a cooldown below the time of a drain',
      { existingSecret: 'x', autoscaling: { ...FOLLOWING, cooldownSeconds: 20 } },
      'cooldownSeconds',
    ],
    [
      'with a cooldown that no HorizontalPodAutoscaler takes',
      { existingSecret: 'x', autoscaling: { cooldownSeconds: 3601 } },
      'cooldownSeconds',
    ],
    [
      'with a drain that is longer than a HorizontalPodAutoscaler waits between workers',
      { existingSecret: 'x', shutdownTimeoutSeconds: 1771 },
      'shutdownTimeoutSeconds',
    ],
    [
      'with fewer workers at the most than at the least',
      { existingSecret: 'x', autoscaling: { ...FOLLOWING, minReplicas: 5, maxReplicas: 4 } },
      'maxReplicas',
    ],
    [
      'where workers would follow no queue',
      { existingSecret: 'x', autoscaling: { enabled: true } },
      'autoscaling.depth',
    ],
    [
      'where workers would follow queues of SQS, and none is named',
      { existingSecret: 'x', autoscaling: { enabled: true, sqs: { enabled: true } } },
      'queueUrls',
    ],
  ])('refuses to be installed %s', (_what, values, named) => {
    expect(() => helm(CHART, values)).toThrow(named);
  });

  test.each(VALUES)('says afterwards what to do, with %s', (name) => {
    const { notes } = helm(CHART, valuesOf(name), 'relay');
    expect(notes).toContain('kubectl -n messaging rollout status deployment/relay-worker');
    expect(notes.includes('Autoscaling is off')).toBe(name === 'worker-only-values.yaml');
    expect(notes).not.toMatch(/\n\n\n|\{\{/);
  });

  test('has alerts with the address of the runbooks before their path', () => {
    const { manifests } = helm(CHART, valuesOf('rabbitmq-values.yaml'));
    const rules = JSON.stringify(manifests.find(({ kind }) => kind === 'PrometheusRule'));
    expect(rules).toContain('"https://example.com/evolution-relay/docs/runbooks/RelayDeadLetters.md"');
  });

  test('restarts pods when what is configured changes', () => {
    const sumOf = (config: Record<string, string>): unknown =>
      helm(CHART, { existingSecret: 'x', config }).manifests.find(({ kind }) => kind === 'Deployment')?.spec
        ?.template?.metadata.annotations?.['checksum/config'];
    expect(sumOf({ LOG_LEVEL: 'info' })).not.toBe(sumOf({ LOG_LEVEL: 'debug' }));
  });
});

/** Replaces the text of all manifests of an overlay, as somebody would who changes a file. */
function changed(from: string, to: string): Manifest[] {
  const text = JSON.stringify(kustomize(join(FOLDER, 'overlays/rabbitmq')));
  if (!text.includes(from)) throw new RangeError(`not there: ${from}`);
  return JSON.parse(text.replaceAll(from, to)) as Manifest[];
}

describe('a manifest is refused', () => {
  test.each([
    ['runs as root', '"runAsUser":1000', '"runAsUser":0'],
    ['may run as root', '"runAsNonRoot":true', '"runAsNonRoot":false'],
    ['may gain privileges', '"allowPrivilegeEscalation":false', '"allowPrivilegeEscalation":true'],
    ['may write to its root file system', '"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":false'],
    ['has no limits of memory', '"limits":{"cpu":"1","memory":', '"limits":{"cpu":"1","storage":'],
    ['has no exact image', IMAGE, '"image":"evolution-relay:latest"'],
    ['has no exact image', IMAGE, '"image":"evolution-relay"'],
    ['livenessProbe is not /healthz', '"path":"/healthz"', '"path":"/readyz"'],
    ['is killed after 30 s', '"terminationGracePeriodSeconds":45', '"terminationGracePeriodSeconds":30'],
    ['chooses pods of 0 deployments', '"selector":{"app.', '"selector":{"no.'],
    ['cools down before a drain is over', '"cooldownPeriod":300', '"cooldownPeriod":30'],
    ['holds REDIS_URI', '"LOG_FORMAT":"json"', '"REDIS_URI":"redis://:secret@redis"'],
    [
      'waits longer than Kubernetes lets it',
      '"stabilizationWindowSeconds":300',
      '"stabilizationWindowSeconds":3601',
    ],
    ['waits longer than Kubernetes lets it', '"periodSeconds":60', '"periodSeconds":1801'],
    ['leaves no worker', '"minReplicaCount":2', '"minReplicaCount":0'],
  ])('that %s', (breach, from, to) => {
    expect(breachesOf(changed(from, to)).join('\n')).toContain(breach);
  });

  test.each([
    ['with a field that nobody knows', '"readOnlyRootFilesystem":', '"readOnlyRootFileSystem":'],
    ['with a text for a number', '"minReplicaCount":2', '"minReplicaCount":"two"'],
    ['of an unknown version', '"apiVersion":"policy/v1"', '"apiVersion":"policy/v1beta9"'],
  ])('%s', (_what, from, to) => {
    expect(changed(from, to).flatMap(faultsOf)).not.toEqual([]);
  });
});
