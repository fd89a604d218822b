import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { alertNames, groupsOf, MONITORING, ROOT } from './monitoring';

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
    withVersion('deploy/kubernetes/chart/Chart.yaml', /^(appVersion: ).*$/m),
    withVersion('deploy/kubernetes/base/kustomization.yaml', /^( {4}newTag: ).*$/m),
  ]);
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
