import { type Format, integer } from './formats';

/** One environment variable: its meaning for operators, its format, and its default. */
export interface Variable<T> {
  readonly doc: string;
  readonly format: Format<T>;
  readonly default: T;
  /** Never shown: `config` prints a mask, logs print nothing. */
  readonly secret?: true;
}

export type Variables = Readonly<Record<string, Variable<unknown>>>;

/** The value of each variable, by name. */
export type ValuesOf<All extends Variables> = {
  readonly [Name in keyof All]: All[Name] extends { readonly format: Format<infer T> } ? T : never;
};

export function variable<T>(format: Format<T>, defaultValue: T, doc: string): Variable<T> {
  return { doc, format, default: defaultValue };
}

export function secret<T>(format: Format<T>, defaultValue: T, doc: string): Variable<T> {
  return { doc, format, default: defaultValue, secret: true };
}

export const port = integer(1, 65_535);
