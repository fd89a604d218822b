import { CATALOGUE, findKey } from '../events/catalogue';
import { almostSame, nearestName, suggestion } from '../events/nearest-name';
import { isGiven } from './formats';
import type { RawValues } from './layers';

/** Beginnings that are the relay's and the core API's alone: whatever begins so and is unknown is meant for us. */
const OURS =
  /^(WEBHOOK|SQS|PUSHER|WEBSOCKET|ALERT|DELIVERY|DEAD_LETTER|PARKED|CIRCUIT|DEDUPLICATION|SETTINGS|RABBITMQ_GLOBAL)_/;

/** Variables that begin so, or nearly read like one of ours, and are somebody else's: the core APIs' own, and n8n's. */
const OTHERS: ReadonlySet<string> = new Set([
  'WEBHOOK_EVENTS_ERRORS',
  'WEBHOOK_EVENTS_ERRORS_WEBHOOK',
  'WEBHOOK_FILES',
  'WEBHOOK_URL',
  'SQS_BASE_URL',
  'SQS_MAX_PAYLOAD_SIZE',
  'S3_REGION',
]);

/** What Kubernetes and Docker's links tell every container about a service of such a name. */
const OF_A_SERVICE = /_SERVICE_(HOST|PORT)|_PORT$|_PORT_\d+_|_ENV_/;

/**
 * Warnings about variables that look like ours and are none: a misspelt one would have no effect that anybody sees.
 *
 * @param prefixes of families, such as switches of events, whose names are checked elsewhere
 */
export function misspelt(raw: RawValues, known: readonly string[], prefixes: readonly string[]): string[] {
  const names = new Set(known);
  return Object.keys(raw.values).flatMap((name) => {
    if (isObject(raw.values[name]) && !names.has(name)) return [nested(name, raw, known)];
    const isChecked = names.has(name) || OTHERS.has(name) || prefixes.some((each) => name.startsWith(each));
    if (isChecked || !isGiven(raw.values[name])) return [];
    const nearest = switchMeantBy(name, prefixes) ?? meantBy(name, known) ?? almostSwitch(name, prefixes);
    if (nearest === undefined && !isOurs(name)) return [];
    const origin = raw.origins.get(name);
    const place = origin === undefined || origin === 'environment' ? '' : ` (${origin})`;
    return [`${name}${place}: no such variable, so it has no effect${suggestion(nearest)}`];
  });
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In a configuration file, where other programs have their settings in groups. */
function nested(name: string, { origins }: RawValues, known: readonly string[]): string {
  const prefix = `${name.toUpperCase()}_`;
  const example = known.find((each) => each.startsWith(prefix) && each.endsWith('_URI')) ?? 'RABBITMQ_URI';
  return `${name} (${origins.get(name)}): no such variable, so it has no effect; each stands on its own, such as "${example}": "…"`;
}

/** What may stand between the transport and the event of a switch; each family has one of them. */
const IN_BETWEEN = /^(?:(?:GLOBAL|EVENTS?)_)*/;

const LIST_OF_EVENTS = /^(?:GLOBAL_)?EVENTS?$/;

/** The switch of an event, as of `RABBITMQ_MESSAGES_UPSERT`: it is not like it in letters, as a whole word is missing. */
function switchMeantBy(name: string, prefixes: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  const transport = upper.slice(0, upper.indexOf('_') + 1);
  const prefix = prefixes.find((each) => transport !== '' && each.startsWith(transport));
  if (prefix === undefined) return undefined;
  const rest = upper.slice(transport.length);
  // Each event has a switch of its own: a list of them is not there.
  if (LIST_OF_EVENTS.test(rest)) return `${prefix}MESSAGES_UPSERT`;
  const key = rest.replace(IN_BETWEEN, '');
  return findKey(key) === undefined ? undefined : prefix + key;
}

/** The variable that was probably meant: a name that need not be one of ours must be almost the same. */
function meantBy(name: string, known: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  const candidates = known.filter((each) => each[0] === upper[0]);
  return isOurs(name) ? nearestName(upper, candidates) : almostSame(upper, candidates);
}

/** One of a family whose own name is misspelt, as `WEBHOOKS_EVENTS_CALL`. */
function almostSwitch(name: string, prefixes: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  const near = prefixes.filter((prefix) => prefix[0] === upper[0]);
  const switches = near.flatMap((prefix) => CATALOGUE.map(({ key }) => prefix + key));
  return almostSame(
    upper,
    switches.filter(({ length }) => Math.abs(length - upper.length) <= 2),
  );
}

function isOurs(name: string): boolean {
  return OURS.test(name) && !OF_A_SERVICE.test(name);
}
