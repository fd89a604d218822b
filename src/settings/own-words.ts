import { z } from 'zod';
import { didYouMean } from '../events/nearest-name';
import { counted } from '../plural';

/** What a value of each type is called in a message. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/**
 * Checks a value that somebody gave. Problems are in words of ours: those of the library name types of TypeScript, and are
 * none of the relay's messages. Schemas that know better give texts of their own.
 */
export function checkedBy<T>(schema: z.ZodType<T>, value: unknown): z.ZodSafeParseResult<T> {
  return schema.safeParse(value, { error: ownWords });
}

/** Problems one by one, each with the field that it is about; `whole` names what has no field. */
export function problemsOf({ issues }: Pick<z.ZodError, 'issues'>, whole: string): string[] {
  return issues.map(({ path, message }) => `${path.join('.') || whole}: ${message}`);
}

/** For a schema whose values have a form that its type does not show: an example says more than the type's name. */
export function shapedLike(form: string): { readonly error: z.core.$ZodErrorMap } {
  return {
    error: ({ code, input }) =>
      code === 'invalid_type' && input !== undefined ? `must be ${form}` : undefined,
  };
}

function ownWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is required'
        : `must be ${TYPES[issue.expected] ?? 'something else'}`;
    case 'too_big':
      return `must be ${bound('no more than', 'no longer than', issue.origin, issue.maximum)}`;
    case 'too_small':
      return `must be ${bound('at least', 'at least', issue.origin, issue.minimum)}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}${meantValue(issue.input, issue.values)}`;
    case 'unrecognized_keys':
      return `there is no such field: ${issue.keys.join(', ')}${meant(issue.keys, issue.inst)}`;
    case 'invalid_key':
      return `its name ${issue.issues[0]?.message ?? 'is not allowed'}`;
    default:
      return 'is not of the form that it must have';
  }
}

function meant([first = '']: readonly string[], schema: unknown): string {
  return schema instanceof z.ZodObject ? didYouMean(first, Object.keys(schema.shape)) : '';
}

function meantValue(input: unknown, values: readonly unknown[]): string {
  return typeof input === 'string' ? didYouMean(input, values.map(String)) : '';
}

function bound(ofNumbers: string, ofTexts: string, origin: string, value: number | bigint): string {
  if (origin === 'string') return `${ofTexts} ${counted(Number(value), 'character')}`;
  return origin === 'array' ? `${ofTexts} ${counted(Number(value), 'item')} long` : `${ofNumbers} ${value}`;
}
