/** What a constructor looks like from outside. */
export interface Constructor {
  readonly line: number;
  readonly lines: number;
  readonly parameters: number;
}

/** Comments, texts and templates: what may hold brackets and commas that are no code. Newlines in them count. */
const NO_CODE = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
const OPENING = '([{<';
const CLOSING = ')]}>';

/** The constructors of a file of TypeScript, those that are only declared left out. */
export function constructorsOf(text: string): Constructor[] {
  const code = text.replace(NO_CODE, (found) => found.replace(/[^\n]/g, ' '));
  return [...code.matchAll(/\bconstructor\(/g)].flatMap((found) => {
    const list = found.index + found[0].length - 1;
    const listEnd = closing(code, list);
    // No body: an overload, or a declaration.
    if (!/^\s*\{/.test(code.slice(listEnd + 1))) return [];
    const end = closing(code, code.indexOf('{', listEnd));
    return {
      line: linesOf(code.slice(0, found.index)),
      lines: linesOf(code.slice(found.index, end)),
      parameters: parametersOf(code.slice(list + 1, listEnd)),
    };
  });
}

function linesOf(code: string): number {
  return code.split('\n').length;
}

/** Where the bracket at `start` is closed. Angle brackets count in types only, so they are skipped here. */
function closing(code: string, start: number): number {
  let depth = 0;
  for (let at = start; at < code.length; at++) {
    if ('([{'.includes(code.charAt(at))) depth++;
    else if (')]}'.includes(code.charAt(at)) && --depth === 0) return at;
  }
  throw new Error(`a bracket is not closed, in line ${linesOf(code.slice(0, start))}`);
}

function parametersOf(list: string): number {
  let depth = 0;
  const parts = [''];
  for (const [at, character] of [...list].entries()) {
    if (OPENING.includes(character)) depth++;
    else if (CLOSING.includes(character) && list[at - 1] !== '=') depth--;
    if (character === ',' && depth === 0) parts.push('');
    else parts.push(`${parts.pop()}${character}`);
  }
  return parts.filter((part) => part.trim() !== '').length;
}
