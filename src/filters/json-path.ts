import { MAX_PATH, MAX_PATH_PARTS } from './filter-limits';
import type { Steps } from './look-budget';

/** The names of a path, from the root of the event inwards. */
export type JsonPath = readonly string[];

export type ParsedPath =
  | { readonly ok: true; readonly parts: JsonPath }
  | { readonly ok: false; readonly problem: string };

/** Takes a value that a path leads to; true ends the search. */
export type Test = (value: unknown) => boolean;

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** `data.key.remoteJid`; a backslash makes the dot behind it a part of the name, as in `data.a\.b`. */
export function parsePath(text: string): ParsedPath {
  if (text.length > MAX_PATH) return refused(`a path must have no more than ${MAX_PATH} characters`);
  const parts = [''];
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === '.') parts.push('');
    else if (character !== '\\') parts[parts.length - 1] += character;
    else if (/[.\\]/.test(text.charAt(index + 1))) parts[parts.length - 1] += text.charAt(++index);
    else return refused('a backslash in a path must stand before a dot or a backslash');
  }
  if (parts.includes('')) return refused('must be a path without empty names, such as data.key.remoteJid');
  if (parts.length > MAX_PATH_PARTS) return refused(`a path must have no more than ${MAX_PATH_PARTS} names`);
  return { ok: true, parts };
}

/**
 * Whether `test` holds for one of the values that the path leads to from `value`. In a list a whole number leads to the
 * item of that index, every other name to that member of each item. At the end a list stands for itself and for its items.
 */
export function leadsTo(value: unknown, parts: JsonPath, test: Test, steps: Steps, from = 0): boolean {
  if (!steps.take()) return false;
  const name = parts[from];
  if (name === undefined) return test(value) || (Array.isArray(value) && someItem(value, test, steps));
  if (!Array.isArray(value)) return leadsOn(value, parts, test, steps, from);
  if (isIndex(name)) {
    const index = Number(name);
    return index < value.length && leadsTo(value[index], parts, test, steps, from + 1);
  }
  // Lists right within lists are not looked into: how deep an event goes is not ours to say.
  return value.some((item) => !Array.isArray(item) && leadsOn(item, parts, test, steps, from));
}

export function isIndex(name: string): boolean {
  return INDEX.test(name);
}

function leadsOn(value: unknown, parts: JsonPath, test: Test, steps: Steps, from: number): boolean {
  if (!steps.take()) return false;
  const name = parts[from];
  if (typeof value !== 'object' || value === null || name === undefined || !Object.hasOwn(value, name))
    return false;
  return leadsTo((value as Readonly<Record<string, unknown>>)[name], parts, test, steps, from + 1);
}

function someItem(items: readonly unknown[], test: Test, steps: Steps): boolean {
  return items.some((item) => steps.take() && test(item));
}

function refused(problem: string): ParsedPath {
  return { ok: false, problem };
}
