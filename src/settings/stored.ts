import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Parsed, parseSettings } from './document';
import { type Settings, settingsSchema } from './schema';

/** What lies in Redis: settings, and the schema that they were checked by. */
interface Stored {
  readonly schema: string;
  readonly settings: Settings;
}

/** Changes whenever the schema does. */
const SCHEMA = createHash('sha256')
  .update(JSON.stringify(z.toJSONSchema(settingsSchema, { io: 'output', unrepresentable: 'any' })))
  .digest('base64url')
  .slice(0, 8);

export function encode(settings: Settings): string {
  return JSON.stringify({ schema: SCHEMA, settings } satisfies Stored);
}

/**
 * What was checked by the present schema is not checked again: thousands of instances are first heard of at once when a
 * worker starts. What another version stored is.
 */
export function decode(text: string): Parsed {
  const value: unknown = JSON.parse(text);
  if (!isStored(value)) return parseSettings(value);
  if (value.schema === SCHEMA) return { ok: true, settings: value.settings, warnings: [] };
  return parseSettings(value.settings);
}

function isStored(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && 'schema' in value && 'settings' in value;
}
