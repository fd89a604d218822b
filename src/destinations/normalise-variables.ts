import { jsonText, optional, parseJson } from '../config/formats';
import type { Reading } from '../config/reading';
import { type Variable, variable } from '../config/variable';
import type { Normalise } from '../events/normalise';
import { normaliseField } from './destination-fields';

/** @param what the global destination, as in "the global webhook" */
export function normaliseVariable(what: string): Variable<string | undefined> {
  return variable(
    optional(jsonText),
    undefined,
    `What ${what} receives in another form than it came, such as {"bytes": true}; all else stays to the byte.`,
  );
}

/** What such a variable says. */
export function readNormalise(name: string, text: string | undefined, reading: Reading): Normalise {
  // What is no JSON is named with the variables of a wrong format.
  const given = text === undefined ? undefined : parseJson(text);
  const parsed = normaliseField.safeParse(given);
  if (parsed.success) return parsed.data ?? {};
  for (const { path, message } of parsed.error.issues)
    reading.problem(`${[name, ...path.map(String)].join('.')}: ${message}`);
  return {};
}
