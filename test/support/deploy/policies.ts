import { variablesOf } from '../../../src/config/load';
import { MODULES } from '../../../src/modules';
import type { Container, Manifest } from './manifest';

/** Time that a process needs beside its drain to end, and what is waited for before SIGTERM. */
const ENDING_SECONDS = 10;
/** What a HorizontalPodAutoscaler takes; schemas do not say. */
const MOST_STABILIZATION_SECONDS = 3600;
const MOST_PERIOD_SECONDS = 1800;
const EXACT_IMAGE = /^[\w./-]+(?::(?!latest$)\w[\w.-]*|@sha256:[0-9a-f]{64})$/;

type Policy = (manifest: Manifest, all: readonly Manifest[]) => readonly string[];

/** Everything that the manifests of one release break, each with its name. */
export function breachesOf(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) =>
    POLICIES.flatMap((policy) => policy(manifest, manifests)).map(
      (breach) => `${manifest.kind} ${manifest.metadata.name}: ${breach}`,
    ),
  );
}

/** What lies at a path, whatever it is; undefined where nothing does. */
function at(value: unknown, ...names: readonly (string | number)[]): unknown {
  let found = value;
  for (const name of names)
    found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  return found;
}

const wrong = (isWrong: boolean, breach: string): string[] => (isWrong ? [breach] : []);

function matches(selector: unknown, labels: unknown): boolean {
  const wanted = Object.entries(at(selector, 'matchLabels') ?? {});
  return wanted.length > 0 && wanted.every(([name, value]) => at(labels, name) === value);
}

const podOf = (manifest: Manifest): unknown => at(manifest, 'spec', 'template', 'spec');
const podLabelsOf = (manifest: Manifest): unknown => at(manifest, 'spec', 'template', 'metadata', 'labels');
const containersOf = (manifest: Manifest): readonly Container[] =>
  manifest.spec?.template?.spec.containers ?? [];

function deploymentsIn(all: readonly Manifest[]): Manifest[] {
  return all.filter(({ kind }) => kind === 'Deployment');
}

function shutdownSeconds(all: readonly Manifest[]): number {
  return Number(
    all.find(({ data }) => data?.['SHUTDOWN_TIMEOUT_SECONDS'])?.data?.['SHUTDOWN_TIMEOUT_SECONDS'],
  );
}

/** The restricted profile of the Pod Security Standards, and a root file system that nobody writes to. */
const pod: Policy = (manifest) => {
  if (manifest.kind !== 'Deployment') return [];
  const spec = podOf(manifest);
  const context = at(spec, 'securityContext');
  return [
    ...wrong(at(context, 'runAsNonRoot') !== true, 'may run as root'),
    ...wrong(!(Number(at(context, 'runAsUser')) > 0), 'runs as root'),
    ...wrong(at(context, 'seccompProfile', 'type') !== 'RuntimeDefault', 'has no seccomp profile'),
    ...wrong(at(spec, 'automountServiceAccountToken') !== false, 'is given a token of Kubernetes'),
    ...wrong(at(spec, 'enableServiceLinks') !== false, 'is given variables of services'),
    ...['hostNetwork', 'hostPID', 'hostIPC'].flatMap((name) => wrong(at(spec, name) === true, `has ${name}`)),
    ...wrong(at(spec, 'volumes') !== undefined, 'has volumes'),
  ];
};

const container: Policy = (manifest) =>
  containersOf(manifest).flatMap((each) => {
    const context = at(each, 'securityContext');
    return [
      ...wrong(!EXACT_IMAGE.test(each.image), `has no exact image: ${each.image}`),
      ...wrong(at(context, 'allowPrivilegeEscalation') !== false, 'may gain privileges'),
      ...wrong(at(context, 'privileged') === true, 'is privileged'),
      ...wrong(at(context, 'readOnlyRootFilesystem') !== true, 'may write to its root file system'),
      ...wrong(at(context, 'capabilities', 'drop', 0) !== 'ALL', 'keeps capabilities'),
      ...['requests', 'limits'].flatMap((what) =>
        ['cpu', 'memory'].flatMap((unit) =>
          wrong(at(each, 'resources', what, unit) === undefined, `has no ${what} of ${unit}`),
        ),
      ),
    ];
  });

/** Alive is not ready; and what is named by a probe, a service or a monitor is there. */
const probes: Policy = (manifest) =>
  containersOf(manifest).flatMap((each) => {
    const ports = portsOf(manifest);
    return [
      ...[
        ['startupProbe', '/healthz'],
        ['livenessProbe', '/healthz'],
        ['readinessProbe', '/readyz'],
      ].flatMap(([name = '', path]) => [
        ...wrong(at(each, name, 'httpGet', 'path') !== path, `${name} is not ${path}`),
        ...wrong(
          !ports.includes(at(each, name, 'httpGet', 'port')),
          `${name} asks at a port that is not there`,
        ),
      ]),
    ];
  });

function portsOf(manifest: Manifest): unknown[] {
  return containersOf(manifest).flatMap((each) => {
    const ports = at(each, 'ports');
    return Array.isArray(ports) ? ports.map((port) => at(port, 'name')) : [];
  });
}

const grace: Policy = (manifest, all) => {
  if (manifest.kind !== 'Deployment') return [];
  const least = shutdownSeconds(all) + ENDING_SECONDS;
  const granted = Number(at(podOf(manifest), 'terminationGracePeriodSeconds'));
  return wrong(!(granted >= least), `is killed after ${granted} s, and drains for ${least - ENDING_SECONDS}`);
};

const spread: Policy = (manifest) => {
  if (manifest.kind !== 'Deployment') return [];
  const constraints = at(podOf(manifest), 'topologySpreadConstraints');
  const all = Array.isArray(constraints) ? constraints : [];
  return [
    ...wrong(all.length === 0, 'is not spread'),
    ...all.flatMap((each) =>
      wrong(!matches(at(each, 'labelSelector'), podLabelsOf(manifest)), 'spreads other pods'),
    ),
  ];
};

const selectors: Policy = (manifest, all) => {
  const { kind, spec } = manifest;
  const selector =
    kind === 'Service'
      ? { matchLabels: spec?.['selector'] }
      : (at(spec, 'selector') ?? at(spec, 'podSelector'));
  if (selector === undefined) return [];
  const found = deploymentsIn(all).filter((each) => matches(selector, podLabelsOf(each)));
  const isOne = found.length === 1 || (kind === 'PodMonitor' && found.length > 0);
  return wrong(!isOne, `chooses pods of ${found.length} deployments`);
};

/** Names of ports, and of what is referred to. */
const references: Policy = ({ kind, spec }, all) => {
  const has = (wanted: string, name: unknown): boolean =>
    all.some((each) => each.kind === wanted && each.metadata.name === name);
  if (kind === 'Ingress') {
    const service = at(spec, 'rules', 0, 'http', 'paths', 0, 'backend', 'service');
    return wrong(!has('Service', at(service, 'name')), 'leads to no service');
  }
  if (kind === 'Service') {
    const ports = deploymentsIn(all).flatMap(portsOf);
    return wrong(!ports.includes(at(spec, 'ports', 0, 'targetPort')), 'leads to no port');
  }
  if (kind === 'Deployment') {
    const account = at(spec, 'template', 'spec', 'serviceAccountName');
    return wrong(!has('ServiceAccount', account), 'has no service account');
  }
  return [];
};

/** Workers follow what waits, and are taken away more slowly than they drain. */
const scaling: Policy = ({ kind, spec }, all) => {
  if (kind !== 'ScaledObject') return [];
  const target = deploymentsIn(all).find(
    ({ metadata }) => metadata.name === at(spec, 'scaleTargetRef', 'name'),
  );
  const down = at(spec, 'advanced', 'horizontalPodAutoscalerConfig', 'behavior', 'scaleDown');
  const drain = shutdownSeconds(all);
  const triggers = at(spec, 'triggers');
  const references = (Array.isArray(triggers) ? triggers : []).map((each) =>
    at(each, 'authenticationRef', 'name'),
  );
  return [
    ...wrong(target === undefined, 'scales nothing'),
    ...wrong(target?.spec?.['replicas'] !== undefined, 'is undone by the number of replicas'),
    ...wrong(!(Number(at(spec, 'minReplicaCount')) >= 1), 'leaves no worker'),
    ...wrong(!(Number(at(spec, 'cooldownPeriod')) > drain), 'cools down before a drain is over'),
    ...wrong(!(Number(at(down, 'stabilizationWindowSeconds')) > drain), 'takes workers away too soon'),
    ...wrong(!(Number(at(down, 'policies', 0, 'periodSeconds')) > drain), 'drains workers all at once'),
    ...wrong(
      !(Number(at(down, 'stabilizationWindowSeconds')) <= MOST_STABILIZATION_SECONDS) ||
        !(Number(at(down, 'policies', 0, 'periodSeconds')) <= MOST_PERIOD_SECONDS),
      'waits longer than Kubernetes lets it',
    ),
    ...references
      .filter((name) => name !== undefined)
      .flatMap((name) =>
        wrong(
          !all.some((each) => each.kind === 'TriggerAuthentication' && each.metadata.name === name),
          `has no way to ask: ${name}`,
        ),
      ),
  ];
};

/** By reference only: no manifest holds one. */
const secrets: Policy = (manifest) => {
  const known = variablesOf(MODULES.configParts);
  const held = Object.keys(manifest.data ?? {}).filter((name) => known[name]?.secret === true);
  const sources = containersOf(manifest).map((each) => JSON.stringify(at(each, 'envFrom') ?? ''));
  return [
    ...wrong(manifest.kind === 'Secret', 'holds secrets'),
    ...held.map((name) => `holds ${name}`),
    ...sources.flatMap((text) => wrong(!text.includes('secretRef'), 'has no secrets')),
  ];
};

const POLICIES: readonly Policy[] = [
  ...[pod, container, probes, grace, spread, selectors, references, scaling, secrets],
];
