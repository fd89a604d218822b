import type { CoreConfig } from '../config/config';
import { jsonText, optional, parseJson } from '../config/formats';
import type { Reading } from '../config/reading';
import { type Variable, variable } from '../config/variable';
import type { Normalise } from '../events/normalise';
import { checkedBy } from '../settings/own-words';
import { normaliseField } from './destination-fields';

/** @param what the global destination, as in "the global webhook" */
export function normaliseVariable(what: string): Variable<string | undefined> {
  return variable(
    optional(jsonText),
    undefined,
    `Parts of events in another form than they came, such as {"bytes": true, "lid": true, "media": "link"}; all else stays to the byte. For ${what}.`,
  );
}

/** What such a variable says. */
export function readNormalise(
  name: string,
  text: string | undefined,
  reading: Reading,
  { references }: CoreConfig,
): Normalise {
  // What is no JSON is named with the variables of a wrong format.
  const given = text === undefined ? undefined : parseJson(text);
  const parsed = checkedBy(normaliseField, given);
  if (parsed.success) {
    const normalise = parsed.data ?? {};
    if (normalise.media === 'link' && references.baseUrl === undefined)
      reading.problem(`GATEWAY_URL: must be set while ${name} asks for media as a link: links begin with it`);
    return normalise;
  }
  for (const { path, message } of parsed.error.issues)
    reading.problem(`${[name, ...path.map(String)].join('.')}: ${message}`);
  return {};
}
