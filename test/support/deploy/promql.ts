import { parser } from '@prometheus-io/lezer-promql';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** A metric that an expression reads, with the labels by which it is chosen and grouped. */
export interface Use {
  readonly metric: string;
  readonly labels: ReadonlySet<string>;
}

/** Labels that Prometheus adds to a target, or that it makes itself. */
const TARGET_LABELS = new Set(['job', 'instance', 'namespace', 'pod', 'le']);
/** Grafana's own variables stand for durations. */
const DURATION_VARIABLE = /\$__(?:rate_interval|interval|range)\b/g;

/**
 * What an expression of PromQL reads, by the grammar of Prometheus itself. A label by which several metrics are grouped
 * counts for each of them.
 *
 * @throws SyntaxError where it is no PromQL
 */
export function usesOf(expression: string): Use[] {
  const text = expression.replace(DURATION_VARIABLE, '5m');
  const found: { readonly metric: string; readonly labels: Set<string> }[] = [];
  const textOf = ({ from, to }: SyntaxNode): string => text.slice(from, to);
  const walk = (node: SyntaxNode, groups: readonly string[]): void => {
    if (node.name === 'VectorSelector') {
      const [name] = node.getChildren('Identifier');
      const labels = namesIn(node, textOf);
      found.push({ metric: name === undefined ? '' : textOf(name), labels: new Set([...labels, ...groups]) });
      return;
    }
    const inner = [...groups, ...groupsOf(node, textOf)];
    for (let child = node.firstChild; child !== null; child = child.nextSibling) walk(child, inner);
  };
  const { topNode } = parser.parse(text);
  topNode.cursor().iterate(({ type, from }) => {
    if (type.isError) throw new SyntaxError(`no PromQL at ${from}: ${text}`);
  });
  walk(topNode, []);
  return found.map(({ metric, labels }) => ({
    metric,
    labels: new Set([...labels].filter((label) => !TARGET_LABELS.has(label))),
  }));
}

/** Labels of `by (…)`; those of `on (…)` join two sides of which one may be a sum without labels. */
function groupsOf(node: SyntaxNode, textOf: (node: SyntaxNode) => string): string[] {
  return node.getChildren('AggregateModifier').flatMap((modifier) => namesIn(modifier, textOf));
}

function namesIn(node: SyntaxNode, textOf: (node: SyntaxNode) => string): string[] {
  const names: string[] = [];
  const cursor = node.cursor();
  do {
    if (cursor.name === 'LabelName') names.push(textOf(cursor.node));
  } while (cursor.next() && cursor.from < node.to);
  return names;
}
