import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const ROOT = join(__dirname, '../../..');
export const MONITORING = join(ROOT, 'deploy/monitoring');

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** Names of the alerts, each of which has a file of this name. */
export function alertNames(): string[] {
  return readdirSync(join(MONITORING, 'rules')).map((name) => name.replace(/\.yml$/, ''));
}

export function groupsOf(alert: string): readonly RuleGroup[] {
  const text = readFileSync(join(MONITORING, 'rules', `${alert}.yml`), 'utf8');
  return (parse(text) as { groups: readonly RuleGroup[] }).groups;
}

/** Every query of the dashboard, by the panel that asks it. */
export function dashboardQueries(): readonly (readonly [panel: string, expr: string])[] {
  const text = readFileSync(join(MONITORING, 'dashboard.json'), 'utf8');
  const { panels } = JSON.parse(text) as { panels: readonly Panel[] };
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));
}
