import { Comparison } from './comparison';
import { All, Any, type Condition, Not } from './condition';
import { MAX_CONDITIONS, MAX_NESTING } from './filter-limits';
import { type JsonPath, parsePath, type Test } from './json-path';
import { OPERATORS } from './operators';
import { isShortForm } from './short-form';

/** What is wrong with a filter, and where: the names that lead to it, from the filter inwards. */
export interface FilterProblem {
  readonly path: readonly string[];
  readonly problem: string;
}

type Where = readonly string[];
type Fields = Readonly<Record<string, unknown>>;

const EVERY_OPERATOR = [...OPERATORS.keys(), '$exists', '$not'].join(', ');
const COMBINING = '$and, $or, $not';
/** More are not looked for. */
const MAX_PROBLEMS = 20;
const NEVER: Condition = { holds: () => false, failure: () => ({ condition: '', wanted: '' }) };

/** Makes a condition of a `filter`, once, when the settings are read; every problem is gathered with its place. */
export class Compiler {
  readonly problems: FilterProblem[] = [];
  /** Paths that conditions lead along. */
  readonly paths: JsonPath[] = [];
  private conditions = 0;

  compile(filter: unknown): Condition {
    return this.document(filter, [], 0);
  }

  private document(value: unknown, where: Where, level: number): Condition {
    if (!isFields(value)) return this.refuse(where, 'must be an object of paths and conditions');
    if (level > MAX_NESTING) return this.refuse(where, `must be nested no deeper than ${MAX_NESTING} levels`);
    const all: Condition[] = [];
    for (const [name, inner] of Object.entries(value)) {
      if (this.problems.length >= MAX_PROBLEMS) break;
      all.push(this.member(name, inner, [...where, name], level));
    }
    return all.length === 1 && all[0] !== undefined ? all[0] : new All(all);
  }

  private member(name: string, value: unknown, where: Where, level: number): Condition {
    if (name === '$and' || name === '$or') return this.list(name, value, where, level + 1);
    if (name === '$not') return new Not(this.document(value, where, level + 1), shown(where));
    if (name.startsWith('$')) return this.refuse(where, noOperator(name, COMBINING));
    const parsed = parsePath(name);
    if (!parsed.ok) return this.refuse(where, parsed.problem);
    this.paths.push(parsed.parts);
    return this.atPath(parsed.parts, value, where, level);
  }

  private list(name: string, value: unknown, where: Where, level: number): Condition {
    if (!Array.isArray(value) || value.length === 0)
      return this.refuse(where, 'must be a list of at least one condition');
    const all: Condition[] = [];
    for (const [index, inner] of value.entries()) {
      if (this.problems.length >= MAX_PROBLEMS) break;
      all.push(this.document(inner, [...where, String(index)], level));
    }
    return name === '$and' ? new All(all) : new Any(all, shown(where));
  }

  /** A value by itself must be equal; an object names operators, each of which must hold. */
  private atPath(path: JsonPath, value: unknown, where: Where, level: number): Condition {
    if (!isFields(value)) return this.operator(path, '$eq', value, where);
    const operators = Object.entries(value);
    if (operators.length === 0) return this.refuse(where, `must name an operator: ${EVERY_OPERATOR}`);
    if (level > MAX_NESTING) return this.refuse(where, `must be nested no deeper than ${MAX_NESTING} levels`);
    const all = operators.map(([name, operand]) => {
      const at = [...where, name];
      if (name !== '$not') return this.operator(path, name, operand, at);
      if (!isFields(operand)) return this.refuse(at, 'must be an object of operators');
      return new Not(this.atPath(path, operand, at, level + 1), shown(at));
    });
    return all.length === 1 && all[0] !== undefined ? all[0] : new All(all);
  }

  private operator(path: JsonPath, name: string, operand: unknown, where: Where): Condition {
    if (++this.conditions > MAX_CONDITIONS)
      return this.refuse(where, `a filter must have no more than ${MAX_CONDITIONS} conditions`);
    const base = { path, where: shown(where), wanted: operand };
    if (name === '$exists') {
      if (typeof operand !== 'boolean') return this.refuse(where, 'must be true or false');
      return new Comparison({ ...base, test: exists, isNegative: !operand });
    }
    const operator = OPERATORS.get(name);
    if (operator === undefined)
      return this.refuse(where, noOperator(name, EVERY_OPERATOR) + shortFormHint(path[0]));
    const test = operator.test(operand);
    if (test === undefined) return this.refuse(where, `must be ${operator.operand}`);
    return new Comparison({ ...base, test, isNegative: operator.isNegative === true });
  }

  private refuse(path: Where, problem: string): Condition {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ path, problem });
    return NEVER;
  }
}

const exists: Test = () => true;

function shown(where: Where): string {
  return ['filter', ...where].join('.');
}

function noOperator(name: string, known: string): string {
  const hint = /^\$reg/i.test(name)
    ? '; there are no regular expressions: use $startsWith, $endsWith or $in'
    : '';
  return `is no operator here: there are ${known}${hint}`;
}

/** `{"chats": {"only": […]}}` is a field of the destination. */
function shortFormHint(root: string | undefined): string {
  return root !== undefined && isShortForm(root)
    ? `; ${root} as a field of its own stands beside filter, not in it`
    : '';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
