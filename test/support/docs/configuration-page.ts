import { PLATFORM_NAMES, VARIABLES, type VariableName } from '../../../src/config/variables';

/** Sections in their order on the page; a variable belongs to the first whose prefixes fit. */
const SECTIONS: readonly (readonly [title: string, prefixes: readonly string[]])[] = [
  ['RabbitMQ', ['RABBITMQ_']],
  ['Amazon SQS', ['SQS_', 'S3_']],
  ['Webhooks', ['WEBHOOK_']],
  ['Pusher', ['PUSHER_']],
  ['WebSockets', ['WEBSOCKET_']],
  ['Delivery and retries', ['DELIVERY_', 'CIRCUIT_', 'RETRY_', 'PARKED_', 'DEAD_LETTER_', 'DEDUPLICATION_']],
  ['Redis', ['REDIS_']],
  ['Settings of instances', ['SETTINGS_']],
  ['Gateway', ['AUTHENTICATION_', 'GATEWAY_', 'SERVER_', 'CORS_']],
  ['Process, logs and metrics', ['']],
];

const SWITCHES: readonly (readonly [prefix: string, what: string])[] = [
  ['RABBITMQ_EVENTS_', 'events that are consumed from the global exchange'],
  ['SQS_GLOBAL_', 'global SQS queues that are consumed'],
  ['WEBHOOK_EVENTS_', 'events that the global webhook receives'],
  ['PUSHER_EVENTS_', 'events that the global Pusher app receives'],
  ['WEBSOCKET_EVENTS_', 'events that the WebSocket clients of all instances receive'],
];

/** docs/configuration.md, made from the variables that the program reads. */
export function configurationPage(): string {
  const names = Object.keys(VARIABLES) as VariableName[];
  const sections = SECTIONS.flatMap(([title]) => {
    const own = names.filter((name) => sectionOf(name) === title);
    return own.length === 0 ? [] : ['', `## ${title}`, '', ...tableOf(own)];
  });
  return `${[...INTRODUCTION, ...sections, ...switches(), ...platformNames()].join('\n')}\n`;
}

const INTRODUCTION = [
  '<!-- Generated from src/config/variables.ts by `npm run docs`. Do not edit. -->',
  '',
  '# Configuration',
  '',
  'Values are read from these places, the weakest first: `config/default.json`, `config/$NODE_ENV.json`, `.env`, the environment.',
  'A wrong value stops the start, and the message names every wrong one at once. `config` prints the configuration in force,',
  '`config --env-example` a commented `.env`. Secrets (marked 🔒) are never printed or logged.',
];

function sectionOf(name: string): string | undefined {
  return SECTIONS.find(([, prefixes]) => prefixes.some((prefix) => name.startsWith(prefix)))?.[0];
}

function tableOf(names: readonly VariableName[]): string[] {
  return [
    '| variable | default | meaning | values |',
    '|---|---|---|---|',
    ...names.map((name) => {
      const { doc, format, default: value } = VARIABLES[name];
      const mark = 'secret' in VARIABLES[name] ? ' 🔒' : '';
      return `| \`${name}\`${mark} | ${code(textOf(value))} | ${cell(doc)} | ${cell(format.allowed)} |`;
    }),
  ];
}

function switches(): string[] {
  return [
    '',
    '## Switches of events',
    '',
    'If no switch of a family is set, every event passes. As soon as one is set, only events whose switch says `true` pass.',
    '`<KEY>` is an event such as `MESSAGES_UPSERT`; `GROUP_UPDATE` and `GROUPS_UPDATE` mean the same.',
    '',
    '| switches | choose |',
    '|---|---|',
    ...SWITCHES.map(([prefix, what]) => `| \`${prefix}<KEY>\` | ${what} |`),
  ];
}

function platformNames(): string[] {
  return [
    '',
    '## Names that hosting platforms set',
    '',
    'They are read if the variable itself is not set.',
    '',
    '| name | stands for |',
    '|---|---|',
    ...Object.entries(PLATFORM_NAMES).map(([name, stands]) => `| \`${name}\` | \`${stands}\` |`),
  ];
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function code(text: string): string {
  return text === '' || text === '{}' ? '' : `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
