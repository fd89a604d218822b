import { type Node, readTemplate } from './go-template-reader';

/**
 * As much of Go's text/template as the chart in `deploy/kubernetes` uses: actions with trimmed blanks, pipelines, `if`, `with`, `range`,
 * `define` and variables. What it does not know it refuses, so that a template which renders here means the same to Helm.
 */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [key: string]: Value };
export type Functions = Readonly<Record<string, (...args: Value[]) => Value>>;

interface Scope {
  readonly dot: Value;
  readonly variables: ReadonlyMap<string, Value>;
}

const WORD = /"(?:[^"\\]|\\.)*"|\(|\)|\||\$?(?:\.?[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*|\$|\.|-?\d+(?:\.\d+)?/y;

/** Templates that are defined in any of the texts, by name. */
export class GoTemplates {
  private readonly defined = new Map<string, readonly Node[]>();
  private readonly functions: Functions;

  constructor(functions: Functions) {
    this.functions = {
      ...functions,
      include: (name, dot) => this.run(this.named(String(name)), { dot, variables: new Map([['$', dot]]) }),
    };
  }

  /** Reads a text and what it defines, and makes it known under a name. */
  add(name: string, text: string): void {
    const define = (inner: string, body: readonly Node[]): void => void this.defined.set(inner, body);
    define(name, readTemplate(text, define));
  }

  render(name: string, dot: Value): string {
    return this.run(this.named(name), { dot, variables: new Map([['$', dot]]) });
  }

  private named(name: string): readonly Node[] {
    const found = this.defined.get(name);
    if (found === undefined) throw new ReferenceError(`no template ${name}`);
    return found;
  }

  private run(nodes: readonly Node[], scope: Scope): string {
    const variables = new Map(scope.variables);
    const inner: Scope = { dot: scope.dot, variables };
    return nodes.map((node) => this.runNode(node, inner, variables)).join('');
  }

  private runNode(node: Node, scope: Scope, variables: Map<string, Value>): string {
    switch (node.kind) {
      case 'text':
        return node.text;
      case 'output':
        return asText(this.evaluate(node.pipeline, scope));
      case 'set':
        variables.set(node.name, this.evaluate(node.pipeline, scope));
        return '';
      case 'if': {
        const taken = node.branches.find(
          ({ condition }) => condition === undefined || isTrue(this.evaluate(condition, scope)),
        );
        return taken === undefined ? '' : this.run(taken.body, scope);
      }
      case 'range':
        return this.runRange(node, scope);
    }
  }

  private runRange(node: Node & { readonly kind: 'range' }, { dot, variables }: Scope): string {
    const [value, key] = [...node.names].reverse();
    return entriesOf(this.evaluate(node.pipeline, { dot, variables }))
      .map(([name, item]) => {
        const inner = new Map(variables);
        if (value !== undefined) inner.set(value, item);
        if (key !== undefined) inner.set(key, name);
        return this.run(node.body, { dot: item, variables: inner });
      })
      .join('');
  }

  private evaluate(pipeline: string, scope: Scope): Value {
    const words = wordsOf(pipeline);
    const value = this.pipe(words, scope);
    if (words.length > 0) throw new SyntaxError(`left over in "${pipeline}": ${words.join(' ')}`);
    return value;
  }

  /** Until a closing bracket, or the end; each command's value is the last argument of the next. */
  private pipe(words: string[], scope: Scope): Value {
    let args = this.commandOf(words, scope);
    while (words[0] === '|') {
      words.shift();
      const piped = this.call(args);
      args = [...this.commandOf(words, scope), piped];
    }
    return this.call(args);
  }

  private commandOf(words: string[], scope: Scope): unknown[] {
    const args: unknown[] = [];
    while (words.length > 0 && words[0] !== '|' && words[0] !== ')') args.push(this.operand(words, scope));
    return args;
  }

  private operand(words: string[], scope: Scope): unknown {
    const word = words.shift() ?? '';
    if (word === '(') {
      const value = this.pipe(words, scope);
      if (words.shift() !== ')') throw new SyntaxError('a bracket is not closed');
      return value;
    }
    if (word.startsWith('"')) return JSON.parse(word);
    if (/^-?\d/.test(word)) return Number(word);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === '.') return scope.dot;
    if (word.startsWith('.')) return fieldOf(scope.dot, word.slice(1).split('.'));
    if (word.startsWith('$')) {
      const [name = '', ...fields] = word.split('.');
      if (!scope.variables.has(name)) throw new ReferenceError(`no variable ${name}`);
      return fieldOf(scope.variables.get(name), fields);
    }
    const called = this.functions[word];
    if (called === undefined) throw new ReferenceError(`no function ${word}`);
    return called;
  }

  private call([first, ...args]: unknown[]): Value {
    if (typeof first === 'function') {
      // A function that is an argument has none of its own.
      const values = args.map((arg) => (typeof arg === 'function' ? arg() : arg));
      return first(...values) as Value;
    }
    if (args.length > 0) throw new TypeError(`${asText(first as Value)} is no function`);
    return first as Value;
  }
}

function wordsOf(pipeline: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < pipeline.length) {
    if (/\s/.test(pipeline[at] ?? '')) {
      at++;
      continue;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(pipeline)?.[0];
    if (word === undefined) throw new SyntaxError(`cannot read "${pipeline.slice(at)}"`);
    words.push(word);
    at += word.length;
  }
  return words;
}

/** A field of nothing is a fault, as in Helm; a field that a map does not have is nothing. */
function fieldOf(value: Value, names: readonly string[]): unknown {
  let found: unknown = value;
  for (const [index, name] of names.entries()) {
    if (typeof found !== 'object' || found === null)
      throw new TypeError(`nil pointer: ${names.slice(0, index + 1).join('.')}`);
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Of a map by the order of its keys, as Go does it. */
function entriesOf(value: Value): (readonly [Value, Value])[] {
  if (Array.isArray(value)) return value.map((item: Value, index) => [index, item]);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (value === null || value === undefined) return [];
  throw new TypeError(`cannot range over ${asText(value)}`);
}

function asText(value: Value): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') throw new TypeError('a map or list as text: toYaml');
  return String(value);
}
