import { RelayError } from '../errors';
import type { TextAnswer } from '../network/text-answer';

/** Whether the core API has an instance; `unclear` where it does not say. */
export type Existence = 'known' | 'unknown' | 'unclear';

/** What answers at CORE_API_URL does not say which instances there are. */
export class CoreAnswerError extends RelayError {}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A proxy says so of what is behind it, and the core of itself while it starts. */
const UNAVAILABLE: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const MAX_QUOTED = 200;

/**
 * @param path of CORE_API_URL, without a slash at its end
 * @throws CoreAnswerError where it is no answer of the core API: of a wrong address every instance would be one that there is not
 */
export function existenceIn(answer: TextAnswer, path: string): Exclude<Existence, 'unclear'> {
  const { status, text } = answer;
  const value = jsonOf(text);
  if (status === 200 && Array.isArray(value)) return value.length > 0 ? 'known' : 'unknown';
  // Up to 2.1 an empty list, later 404; a route that does not exist is 404, too.
  if (status === 404 && isObject(value) && !saysNoRoute(value)) return 'unknown';
  throw new CoreAnswerError(`HTTP_${status}`, problemOf(answer, value, path));
}

function problemOf(answer: TextAnswer, value: unknown, path: string): string {
  const { status } = answer;
  // Proxies say so on a page of theirs.
  if (UNAVAILABLE.has(status))
    return `what answers at CORE_API_URL does not serve (HTTP ${status}): the core API is starting or gone, or the proxy before it does not reach it`;
  if ((status === 401 || status === 403) && !isWebPage(answer))
    return 'the core API refuses the key: AUTHENTICATION_API_KEY must be the same on both sides';
  return `what answers at CORE_API_URL ${whatItDoes(answer, value)}, so that is not the core API: ${remedyFor(path)}`;
}

function whatItDoes(answer: TextAnswer, value: unknown): string {
  const { status, location } = answer;
  if (REDIRECTS.has(status)) {
    const where = location === '' ? '' : ` to ${location.slice(0, MAX_QUOTED)}`;
    return `redirects${where} (HTTP ${status})`;
  }
  if (isWebPage(answer)) return `is a web page (HTTP ${status})`;
  if (status === 404 && isObject(value)) return 'has no route /instance/fetchInstances (HTTP 404)';
  return `gives ${value === undefined ? 'no JSON' : 'no list of instances'} (HTTP ${status})`;
}

function isWebPage({ type, text }: TextAnswer): boolean {
  return /html/i.test(type) || /^\s*</.test(text);
}

/** A wrong path is the usual reason: the Manager's address is the one that people see. */
function remedyFor(path: string): string {
  const example = 'such as http://evolution-api:8080';
  return path === ''
    ? `it must be the address that its clients use, ${example}`
    : `it must be the address that its clients use, ${example}, probably without ${path.slice(0, MAX_QUOTED)}`;
}

/** `{"response": {"message": ["Cannot GET /api/instance/fetchInstances"]}}`: nothing but its text tells it from an instance that is not there. */
function saysNoRoute(value: Readonly<Record<string, unknown>>): boolean {
  const response = isObject(value['response']) ? value['response'] : value;
  return [response['message']].flat().some((line) => typeof line === 'string' && line.startsWith('Cannot '));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined where it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
