import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertNames, dashboardQueries, groupsOf, MONITORING, ROOT } from '../../support/deploy/monitoring';
import { usesOf } from '../../support/deploy/promql';

const SECTIONS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation'];

describe('every alert', () => {
  const names = alertNames();

  test('has a rule file, a test and a runbook of its name, and nothing is left over', () => {
    const withoutEnding = (folder: string, ending: string): string[] =>
      readdirSync(join(ROOT, folder)).map((name) => name.replace(ending, ''));
    expect(names.length).toBeGreaterThan(10);
    expect(withoutEnding('deploy/monitoring/tests', '.test.yml')).toEqual(names);
    expect(withoutEnding('docs/runbooks', '.md')).toEqual(names);
  });

  test.each(names)('%s says how grave it is, what it means and where its runbook lies', (name) => {
    const groups = groupsOf(name);
    expect(groups.map((group) => group.name)).toEqual([name]);
    const rules = groups.flatMap((group) => group.rules);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toBe(name);
      expect(['warning', 'critical']).toContain(labels['severity']);
      expect(annotations['summary']).toMatch(/^[A-Z].*\.$/);
      expect(annotations['description']).toMatch(/\.$/);
      expect(existsSync(join(ROOT, annotations['runbook_url'] ?? ''))).toBe(true);
    }
    expect(new Set(rules.map(({ labels }) => labels['severity'])).size).toBe(rules.length);
  });

  test.each(names)('%s has a runbook with meaning, impact, diagnosis and mitigation', (name) => {
    const text = readFileSync(join(ROOT, 'docs/runbooks', `${name}.md`), 'utf8');
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual(SECTIONS);
    expect(text.startsWith(`# ${name}\n`)).toBe(true);
  });

  test.each(names)('%s has a test in which it fires, and one in which it does not', (name) => {
    const text = readFileSync(join(MONITORING, 'tests', `${name}.test.yml`), 'utf8');
    expect(text).toContain('exp_alerts: []');
    for (const { labels } of groupsOf(name).flatMap((group) => group.rules))
      expect(text).toContain(`severity: ${labels['severity']}\n`);
  });
});

describe('what an expression reads', () => {
  test('are metrics, with the labels of matchers and groups; targets have labels of their own', () => {
    const expr =
      'max by (namespace, queue) (a{state!="x"}) > 5 and on (queue) deriv(b[$__rate_interval]) > 0';
    expect(usesOf(expr)).toEqual([
      { metric: 'a', labels: new Set(['state', 'queue']) },
      { metric: 'b', labels: new Set() },
    ]);
  });

  test.each(['max by (a', 'rate(x[5m]', 'a{b=}', ''])('%p is refused', (expr) => {
    expect(() => usesOf(expr)).toThrow(SyntaxError);
  });
});

test('every panel of the dashboard has another title, and asks PromQL', () => {
  const queries = dashboardQueries();
  expect(queries.length).toBeGreaterThan(30);
  for (const [, expr] of queries) expect(usesOf(expr).length).toBeGreaterThan(0);
  const titles = new Set(queries.map(([title]) => title));
  expect(titles.size).toBeGreaterThan(30);
});
