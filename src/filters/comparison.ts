import type { Condition, Failure, Look } from './condition';
import { isIndex, type JsonPath, leadsTo, type Test } from './json-path';
import { Steps } from './look-budget';
import { isScalar } from './operators';

export interface ComparisonParts {
  readonly path: JsonPath;
  readonly test: Test;
  readonly isNegative: boolean;
  /** Where it stands in the settings. */
  readonly where: string;
  readonly wanted: unknown;
}

const MAX_SHOWN = 3;
const MAX_SHOWN_LENGTH = 100;

/** One operator at one path. */
export class Comparison implements Condition {
  private readonly root: string;
  private readonly inner: JsonPath;
  /** `data.0.key` is about one item of a list, whichever item is looked at. */
  private readonly namesItem: boolean;

  constructor(private readonly parts: ComparisonParts) {
    const [root = '', ...inner] = parts.path;
    this.root = root;
    this.inner = inner;
    this.namesItem = root === 'data' && isIndex(inner[0] ?? '');
  }

  holds(look: Look): boolean {
    return this.leadsTo(look, this.parts.test, look.steps) !== this.parts.isNegative;
  }

  failure(look: Look): Failure {
    const { where: condition, wanted } = this.parts;
    const found = this.shown(look);
    return found.length === 0
      ? { condition, wanted }
      : { condition, wanted, found: found.length === 1 ? found[0] : found };
  }

  private leadsTo({ view, item }: Look, test: Test, steps: Steps): boolean {
    const { root } = this;
    if (root !== 'data') return view.has(root) && leadsTo(view.root(root), this.inner, test, steps);
    if (!view.has(root)) return false;
    return leadsTo(this.namesItem ? view.data : item.value, this.inner, test, steps);
  }

  /** The first values that the path leads to. */
  private shown(look: Look): unknown[] {
    const found: unknown[] = [];
    const collect: Test = (value) => {
      if (!Array.isArray(value)) found.push(look.view.isSecret(this.root) ? 'a secret' : shortened(value));
      return found.length === MAX_SHOWN;
    };
    this.leadsTo(look, collect, new Steps());
    return found;
  }
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string' && value.length > MAX_SHOWN_LENGTH)
    return `${value.slice(0, MAX_SHOWN_LENGTH)}…`;
  return isScalar(value) ? value : 'an object';
}
