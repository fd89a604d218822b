import { MAX_LIST, MAX_TEXT } from './filter-limits';
import type { Test } from './json-path';

/** What is compared: JSON's values without objects and lists. */
export type Scalar = string | number | boolean | null;

export interface Operator {
  /** Completes the sentence "must be …". */
  readonly operand: string;
  /** The test of one value; undefined where the operand is not what it must be. */
  test(operand: unknown): Test | undefined;
  /** Holds where the test holds for none of the values that the path leads to, or where it leads nowhere. */
  readonly isNegative?: true;
}

const SCALAR = `a text of up to ${MAX_TEXT} characters, a number, true, false or null`;
const TEXT = `a text of 1 to ${MAX_TEXT} characters`;
const ORDERED = `a number, or a text of up to ${MAX_TEXT} characters`;
const LIST = `a list of 1 to ${MAX_LIST} texts, numbers, true, false or null`;

const equality = { operand: SCALAR, test: equals };
const membership = { operand: LIST, test: isOneOf };

/** There are no regular expressions: what a tenant writes must not be able to keep a worker busy. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['$eq', equality],
  ['$ne', { ...equality, isNegative: true }],
  ['$in', membership],
  ['$nin', { ...membership, isNegative: true }],
  [
    '$startsWith',
    {
      operand: TEXT,
      test: (start) => textTest(start, (value, text) => value.slice(0, text.length) === text),
    },
  ],
  [
    '$endsWith',
    { operand: TEXT, test: (end) => textTest(end, (value, text) => value.slice(-text.length) === text) },
  ],
  ['$gt', { operand: ORDERED, test: (than) => ordered(than, (value, limit) => value > limit) }],
  ['$lt', { operand: ORDERED, test: (than) => ordered(than, (value, limit) => value < limit) }],
]);

export function isScalar(value: unknown): value is Scalar {
  if (typeof value === 'string') return value.length <= MAX_TEXT;
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}

function equals(operand: unknown): Test | undefined {
  return isScalar(operand) ? (value) => value === operand : undefined;
}

function isOneOf(operand: unknown): Test | undefined {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length > MAX_LIST) return undefined;
  if (!operand.every(isScalar)) return undefined;
  const set = new Set<unknown>(operand);
  return (value) => (typeof value !== 'string' || value.length <= MAX_TEXT) && set.has(value);
}

function textTest(operand: unknown, holds: (value: string, text: string) => boolean): Test | undefined {
  if (typeof operand !== 'string' || operand === '' || operand.length > MAX_TEXT) return undefined;
  return (value) => typeof value === 'string' && holds(value, operand);
}

/** Numbers are compared with numbers, texts with texts. */
function ordered(
  operand: unknown,
  holds: <T extends string | number>(value: T, limit: T) => boolean,
): Test | undefined {
  if (typeof operand === 'number') return (value) => typeof value === 'number' && holds(value, operand);
  if (typeof operand !== 'string' || operand.length > MAX_TEXT) return undefined;
  return (value) => typeof value === 'string' && holds(value, operand);
}
