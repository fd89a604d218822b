import { type Parsed, parseSettings } from './document';
import { MAX_SETTINGS_BYTES } from './limits';
import type { Settings } from './section';
import type { Sections } from './sections';

/** Of the form of records. Fields that are only added leave it as it is; records without a number are of the first form. */
const VERSION = 1;

/** What lies in Redis: settings, and the schema that they were checked by. */
interface Stored {
  readonly version?: number;
  readonly schema: string;
  readonly settings: Settings;
}

export function encode({ fingerprint: schema }: Sections, settings: Settings): string {
  return JSON.stringify({ version: VERSION, schema, settings } satisfies Stored);
}

/** Bytes of all settings of an instance, as their limit counts them. */
export function sizeOf(settings: Settings): number {
  return Buffer.byteLength(JSON.stringify(settings));
}

/**
 * What was checked by the present schema is not checked again: thousands of instances are first heard of at once when a
 * worker starts. What another version stored is, and so is all that is not `authentic`: text in clear may have been
 * written by anybody.
 */
export function decode(sections: Sections, text: string, { authentic = false } = {}): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words quote the text, which may hold secrets.
    return { ok: false, problems: ['they are no JSON; perhaps a later version of the relay wrote them'] };
  }
  if (isNewer(value))
    return { ok: false, problems: ['a later version of the relay wrote them: use that version'] };
  if (!isStored(value)) return bounded(parseSettings(sections, value));
  if (authentic && value.schema === sections.fingerprint)
    return { ok: true, settings: value.settings, warnings: [] };
  return bounded(parseSettings(sections, value.settings));
}

function bounded(parsed: Parsed): Parsed {
  if (!parsed.ok || sizeOf(parsed.settings) <= MAX_SETTINGS_BYTES) return parsed;
  return { ok: false, problems: [tooLarge(sizeOf(parsed.settings))] };
}

export function tooLarge(bytes: number): string {
  return `settings: must have no more than ${MAX_SETTINGS_BYTES} bytes in all, as JSON; these have ${bytes}`;
}

function isNewer(value: unknown): boolean {
  if (!isStored(value)) return false;
  return typeof value.version === 'number' && value.version > VERSION;
}

function isStored(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && 'schema' in value && 'settings' in value;
}
