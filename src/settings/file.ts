import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { EventFilter } from '../config/event-switches';
import { fileProblem } from '../config/layers';
import { ConfigError } from '../errors';
import { filterKey, findKey } from '../events/catalogue';

/** What is set for one instance. */
export interface InstanceSettings {
  readonly instance: string;
  /** Whether, and for which events, the instance's own exchange is consumed. */
  readonly rabbitmq: { readonly enabled: boolean; readonly events: EventFilter };
}

/**
 * Reads SETTINGS_FILE: one "Complete Instance Configuration" object of the core API's documentation, or a list of
 * them. A file that is not there means no instances.
 *
 * @throws ConfigError naming every entry that is wrong
 */
export function readSettingsFile(directory: string, file: string): InstanceSettings[] {
  const path = isAbsolute(file) ? file : join(directory, file);
  if (!existsSync(path)) return [];
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError([`SETTINGS_FILE: ${file} cannot be read: ${fileProblem(error)}`]);
  }
  const problems: string[] = [];
  const entries = Array.isArray(content) ? content : [content];
  const settings = entries.flatMap((entry, index) => parseEntry(entry, `${file}[${index}]`, problems) ?? []);
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

function parseEntry(entry: unknown, where: string, problems: string[]): InstanceSettings | undefined {
  if (!isRecord(entry) || typeof entry['instanceName'] !== 'string' || entry['instanceName'] === '') {
    problems.push(`SETTINGS_FILE: ${where}.instanceName must be the name of an instance`);
    return undefined;
  }
  const rabbitmq = entry['rabbitmq'] ?? { enabled: false };
  if (!isRecord(rabbitmq) || typeof rabbitmq['enabled'] !== 'boolean') {
    problems.push(`SETTINGS_FILE: ${where}.rabbitmq.enabled must be true or false`);
    return undefined;
  }
  const events = rabbitmq['events'] ?? [];
  if (!Array.isArray(events) || events.some((event) => typeof event !== 'string')) {
    problems.push(
      `SETTINGS_FILE: ${where}.rabbitmq.events must be a list of event names, such as MESSAGES_UPSERT`,
    );
    return undefined;
  }
  return {
    instance: entry['instanceName'],
    rabbitmq: { enabled: rabbitmq['enabled'], events: filterOf(events) },
  };
}

/** An empty list means every event, as in the core API. */
function filterOf(events: readonly string[]): EventFilter {
  return events.length === 0
    ? 'all'
    : new Set(events.map((event) => findKey(event)?.key ?? filterKey(event)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
