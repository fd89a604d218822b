/** What a template is made of, in the order of its text. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipeline: string }
  | { readonly kind: 'set'; readonly name: string; readonly pipeline: string }
  | { readonly kind: 'if'; readonly branches: readonly Branch[] }
  | {
      readonly kind: 'range';
      readonly names: readonly string[];
      readonly pipeline: string;
      readonly body: readonly Node[];
    };

export interface Branch {
  /** Undefined: otherwise. */
  readonly condition: string | undefined;
  readonly body: Node[];
}

const ACTION = /\{\{(-\s)?\s*(\/\*[\s\S]*?\*\/|[\s\S]*?)\s*(\s-)?\}\}/g;
interface Piece {
  readonly text?: string;
  readonly action?: string;
}

/** Texts and actions in turns; `{{-` takes the blanks before it, `-}}` those behind it. */
function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  let trims = false;
  const addText = (end: number, trimsEnd: boolean): void => {
    let part = text.slice(from, end);
    if (trims) part = part.trimStart();
    if (trimsEnd) part = part.trimEnd();
    if (part !== '') pieces.push({ text: part });
  };
  for (const match of text.matchAll(ACTION)) {
    addText(match.index, match[1] !== undefined);
    const action = match[2] ?? '';
    if (!action.startsWith('/*')) pieces.push({ action });
    from = match.index + match[0].length;
    trims = match[3] !== undefined;
  }
  addText(text.length, false);
  return pieces;
}

/** Reads a text; what it defines is handed over apart. */
export function readTemplate(text: string, define: (name: string, body: readonly Node[]) => void): Node[] {
  return new Reader(split(text), define).readAll();
}

class Reader {
  private next = 0;

  constructor(
    private readonly pieces: readonly Piece[],
    private readonly define: (name: string, body: readonly Node[]) => void,
  ) {}

  readAll(): Node[] {
    const { body, end } = this.read();
    if (end !== undefined) throw new SyntaxError(`${end} without a beginning`);
    return body;
  }

  /** Until the action that ends this part, which is answered too. */
  private read(): { readonly body: Node[]; readonly end: string | undefined } {
    const body: Node[] = [];
    for (let piece = this.pieces[this.next++]; piece !== undefined; piece = this.pieces[this.next++]) {
      const { text, action = '' } = piece;
      if (text !== undefined) body.push({ kind: 'text', text });
      else if (/^(?:end|else)\b/.test(action)) return { body, end: action };
      else body.push(...this.readAction(action));
    }
    return { body, end: undefined };
  }

  private readAction(action: string): Node[] {
    const [, keyword, rest = ''] = /^(if|range|define)\s+([\s\S]+)$/.exec(action) ?? [];
    if (keyword === 'if') return [this.readIf(rest)];
    if (keyword === 'range') return [this.readRange(rest)];
    if (keyword === 'define') {
      this.define(JSON.parse(rest) as string, this.readToEnd());
      return [];
    }
    const set = /^(\$\w+)\s*:?=\s*([\s\S]+)$/.exec(action);
    if (set !== null) return [{ kind: 'set', name: set[1] ?? '', pipeline: set[2] ?? '' }];
    return [{ kind: 'output', pipeline: action }];
  }

  private readIf(first: string): Node {
    const branches: Branch[] = [];
    let condition: string | undefined = first;
    for (;;) {
      const { body, end } = this.read();
      branches.push({ condition, body });
      if (end === 'end') return { kind: 'if', branches };
      if (end === undefined || branches.at(-1)?.condition === undefined)
        throw new SyntaxError(`no end of: if ${first}`);
      condition = /^else\s+if\s+([\s\S]+)$/.exec(end)?.[1];
    }
  }

  private readRange(rest: string): Node {
    const [, names, pipeline] = /^((?:\$\w+(?:\s*,\s*)?)+)\s*:=\s*([\s\S]+)$/.exec(rest) ?? [];
    const body = this.readToEnd();
    return { kind: 'range', names: names?.split(/\s*,\s*/) ?? [], pipeline: pipeline ?? rest, body };
  }

  private readToEnd(): Node[] {
    const { body, end } = this.read();
    if (end !== 'end') throw new SyntaxError(`end expected, not ${end}`);
    return body;
  }
}
