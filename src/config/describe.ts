import type { Loaded } from './load';
import { names } from './load';
import { parseUrl } from './url';
import { VARIABLES, type VariableName } from './variables';

/** One line of the `config` command. */
export interface DescribedValue {
  readonly name: VariableName;
  readonly value: string;
  readonly origin: string;
}

/** The effective configuration, secrets masked, with where each value came from. */
export function describe({ values, origins }: Loaded): DescribedValue[] {
  return names().map((name) => ({
    name,
    value: isSecret(name) ? mask(textOf(values[name])) : textOf(values[name]),
    origin: origins.get(name) ?? 'default',
  }));
}

/** A commented `.env` with every variable at its default. */
export function envExample(): string {
  const lines = ['# Evolution Relay. Every variable, at its default; uncomment what you change.'];
  for (const name of names()) {
    const { doc, format, default: defaultValue } = VARIABLES[name];
    lines.push('', `# ${doc}`, `# ${format.allowed}`, `#${name}=${textOf(defaultValue)}`);
  }
  lines.push(
    '',
    '# Switches of events, RABBITMQ_EVENTS_<KEY>, SQS_GLOBAL_<KEY>, and WEBHOOK_, PUSHER_ and WEBSOCKET_EVENTS_<KEY>:',
    '# none set: every event; as soon as one is set: exactly those that say true.',
    '#RABBITMQ_EVENTS_MESSAGES_UPSERT=true',
    '#WEBHOOK_EVENTS_MESSAGES_UPSERT=true',
    '#PUSHER_EVENTS_MESSAGES_UPSERT=true',
    '',
  );
  return lines.join('\n');
}

function isSecret(name: VariableName): boolean {
  return 'secret' in VARIABLES[name];
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
