import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { variablesOf } from '../../../src/config/load';
import { MODULES } from '../../../src/modules';
import { alertNames, groupsOf, MONITORING, ROOT } from './monitoring';

const SCHEMA = 'deploy/kubernetes/chart/values.schema.json';
/** What the chart sets itself, most of it by other values; another port would be one that nobody asks at. */
const OF_OTHER_VALUES = [
  ...['SHUTDOWN_TIMEOUT_SECONDS', 'LOG_FORMAT', 'GATEWAY_TRUSTED_PROXIES'],
  ...['METRICS_PORT', 'GATEWAY_PORT', 'PORT'],
];
const NOTE = '# Made of deploy/monitoring/rules by `npm run docs`.\n';

/** Files of `deploy` that say what others say, too, by their path: `npm run docs` writes them, and a test compares. */
export function deployFiles(): ReadonlyMap<string, string> {
  const groups = alertNames().flatMap(groupsOf);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const withVersion = (path: string, pattern: RegExp): [string, string] => [
    path,
    readFileSync(join(ROOT, path), 'utf8').replace(pattern, `$1${version}`),
  ];
  return new Map([
    ['deploy/kubernetes/monitoring/rules.yaml', NOTE + asYaml(prometheusRule(groups))],
    ['deploy/kubernetes/chart/files/rules.yaml', NOTE + asYaml({ groups })],
    [
      'deploy/kubernetes/chart/files/dashboard.json',
      readFileSync(join(MONITORING, 'dashboard.json'), 'utf8'),
    ],
    [SCHEMA, withRefused(readFileSync(join(ROOT, SCHEMA), 'utf8'))],
    withVersion('deploy/kubernetes/chart/Chart.yaml', /^(appVersion: ).*$/m),
    withVersion('deploy/kubernetes/base/kustomization.yaml', /^( {4}newTag: ).*$/m),
  ]);
}

/** The chart's schema with the names that its `config` must not have. */
function withRefused(schema: string): string {
  const { configParts, platformNames } = MODULES;
  const variables = variablesOf(configParts);
  const isSecret = (name: string): boolean => variables[platformNames[name] ?? name]?.secret === true;
  const secrets = [...Object.keys(variables), ...Object.keys(platformNames)].filter(isSecret);
  const lines = [...OF_OTHER_VALUES, ...secrets].map((name) => `\n            ${JSON.stringify(name)}`);
  return schema.replace(/("not": \{\s*"enum": \[)[^\]]*/, `$1${lines.join(',')}\n          `);
}

function prometheusRule(groups: readonly unknown[]): object {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'evolution-relay' },
    spec: { groups },
  };
}

function asYaml(value: unknown): string {
  return stringify(parse(JSON.stringify(value)), { lineWidth: 0 });
}
