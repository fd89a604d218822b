import { type Loaded, variablesOf } from './load';
import type { ConfigPart } from './part';
import { parseUrl } from './url';

/** One line of the `config` command. */
export interface DescribedValue {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
}

/** The effective configuration, secrets masked, with where each value came from. */
export function describe({ variables, values, origins }: Loaded): DescribedValue[] {
  return Object.entries(variables).map(([name, { secret }]) => ({
    name,
    value: secret === true ? mask(textOf(values[name])) : textOf(values[name]),
    origin: origins.get(name) ?? 'default',
  }));
}

/** A commented `.env` with every variable at its default. */
export function envExample(parts: readonly ConfigPart[]): string {
  const prefixes = parts.flatMap(({ definition }) => definition.switches?.prefix ?? []);
  const lines = ['# Evolution Relay. Every variable, at its default; uncomment what you change.'];
  for (const [name, { doc, format, default: defaultValue }] of Object.entries(variablesOf(parts))) {
    lines.push('', `# ${doc}`, `# ${format.allowed}`, `#${name}=${textOf(defaultValue)}`);
  }
  lines.push(
    '',
    `# Switches of events, ${prefixes.map((prefix) => `${prefix}<KEY>`).join(', ')}:`,
    '# none set: every event; as soon as one is set: exactly those that say true.',
    ...prefixes.map((prefix) => `#${prefix}MESSAGES_UPSERT=true`),
    '',
  );
  return lines.join('\n');
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Addresses keep what helps to recognise them (scheme, host, port); everything else becomes stars. */
function mask(value: string): string {
  if (value === '' || value === '{}') return value;
  const url = parseUrl(value);
  if (url === undefined) return '***';
  const { protocol, host, username, password } = url;
  return `${protocol}//${username || password ? '***@' : ''}${host}/***`;
}
