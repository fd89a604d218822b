import { z } from 'zod';
import { type Format, integer, jsonText, oneOf, optional } from '../config/formats';
import type { Reading } from '../config/reading';
import { type Variable, variable } from '../config/variable';
import type { Limits } from '../pipeline/destination-limits';
import { deliveryFields, MAX_CONCURRENCY, ORDERED } from '../settings/delivery-fields';
import { checkedBy } from '../settings/own-words';
import { limitsOf } from './limits-of';

/** How events are delivered to global destinations: each field as a variable of its own, objects as JSON. */

interface Named {
  readonly name: string;
  readonly format: Format<unknown>;
  readonly doc: string;
}

const NAMES = {
  concurrency: {
    name: 'CONCURRENCY',
    format: integer(1, MAX_CONCURRENCY),
    doc: 'Requests at once by each worker, no more than DELIVERY_CONCURRENCY_PER_DESTINATION',
  },
  rateLimit: {
    name: 'RATE_LIMIT',
    format: jsonText,
    doc: 'No more attempts than count in any seconds, by all workers together, such as {"count": 100, "seconds": 60}',
  },
  coalesce: {
    name: 'COALESCE',
    format: jsonText,
    doc: 'A newer event of the same chat within seconds replaces one that still waits, such as {"events": ["PRESENCE_UPDATE"], "seconds": 10}',
  },
  ordered: {
    name: 'ORDERED',
    format: oneOf(...ORDERED),
    doc: 'Events arrive in their order, those of each instance or those of each chat; unset, as fast as they can',
  },
} as const satisfies Readonly<Record<keyof typeof deliveryFields, Named>>;

type Suffix = (typeof NAMES)[keyof typeof NAMES]['name'];

export type DeliveryVariables<Prefix extends string> = {
  readonly [Name in `${Prefix}_${Suffix}`]: Variable<unknown>;
};

const schema = z.object(deliveryFields);

/** @param what completes "For …" */
export function deliveryVariables<const Prefix extends string>(
  prefix: Prefix,
  what: string,
): DeliveryVariables<Prefix> {
  const entries = Object.values(NAMES).map(({ name, format, doc }) => [
    `${prefix}_${name}`,
    variable<unknown>(optional<unknown>(format), undefined, `${doc}. For ${what}.`),
  ]);
  return Object.fromEntries(entries) as DeliveryVariables<Prefix>;
}

/** What those variables say. */
export function readLimits(
  prefix: string,
  values: Readonly<Record<string, unknown>>,
  reading: Reading,
): Limits {
  const given = Object.entries(NAMES).map(([field, { name, format }]) => {
    const value = values[`${prefix}_${name}`];
    return [field, format === jsonText ? decoded(value) : value];
  });
  const parsed = checkedBy(schema, Object.fromEntries(given));
  if (parsed.success) return limitsOf(parsed.data);
  for (const { path, message } of parsed.error.issues)
    reading.problem(`${variableAt(prefix, path)}: ${message}`);
  return {};
}

/** What is no JSON is named with the variables of a wrong format. */
function decoded(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function variableAt(prefix: string, [field, ...inner]: readonly PropertyKey[]): string {
  const named = Object.entries(NAMES).find(([name]) => name === field)?.[1];
  return [`${prefix}_${named?.name}`, ...inner.map(String)].join('.');
}
