import { CATALOGUE, filterKey, findEvent, findKey } from '../events/catalogue';
import type { EventFilter } from '../events/filter';
import { type Settings, settingsSchema } from './schema';
import { unknownFields } from './unknown-fields';

/** Settings that were understood, or every problem with them at once, each naming its field. */
export type Parsed =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Understands the settings of one instance: the "Complete Instance Configuration" of the core API's documentation
 * without its name, or what was stored before. Keys that are not ours are left out.
 */
export function parseSettings(value: unknown): Parsed {
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) {
    const warnings = [...unknownFields(value as object), ...unknownEvents(parsed.data)];
    return { ok: true, settings: parsed.data, warnings };
  }
  return {
    ok: false,
    problems: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'settings'}: ${message}`),
  };
}

/** The name that a "Complete Instance Configuration" carries; undefined where it has none. */
export function instanceNameOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !('instanceName' in entry)) return undefined;
  return typeof entry.instanceName === 'string' && entry.instanceName !== '' ? entry.instanceName : undefined;
}

/** Unknown events may be those of a later core API: they are kept. */
function unknownEvents(settings: Settings): string[] {
  const { token: _token, webhook, webhooks, ...others } = settings;
  const named = Object.entries(webhooks).map(([name, value]) => [`webhooks.${name}`, value] as const);
  const sections = [['webhook', webhook] as const, ...named, ...Object.entries(others)];
  return sections.flatMap(([section, value]) =>
    (value?.events ?? [])
      .filter((event) => findKey(event) === undefined && findEvent(event) === undefined)
      .map(
        (event) => `${section}.events: ${event} is none of the ${CATALOGUE.length} events known; it is kept`,
      ),
  );
}

/** An empty list means every event, as in the core API. */
export function filterOf(events: readonly string[]): EventFilter {
  return events.length === 0
    ? 'all'
    : new Set(events.map((event) => findKey(event)?.key ?? filterKey(event)));
}
