import type { Variables } from '../../../src/config/variable';
import { MARK_OF_EVOLUTION_GO } from '../../../src/config/variables';
import type { Modules } from '../../../src/modules';

/** Where the variables of no module are shown, in order; each belongs to the first whose prefixes fit. */
const SECTIONS: readonly (readonly [title: string, prefixes: readonly string[]])[] = [
  ['Webhooks', ['WEBHOOK_']],
  [
    'Delivery and retries',
    ['DELIVERY_', 'CIRCUIT_', 'RETRY_', 'SUSPEND_', 'ORDERED_', 'PARKED_', 'DEAD_LETTER_', 'DEDUPLICATION_'],
  ],
  ['Alerts', ['ALERT_']],
  ['Redis', ['REDIS_']],
  ['Settings of instances', ['SETTINGS_']],
  ['Gateway', ['AUTHENTICATION_', 'GATEWAY_', 'SERVER_', 'CORS_']],
  ['Links to events and media', ['PUSHER_REFERENCE_']],
  ['Process, logs and metrics', ['']],
];

/** docs/configuration.md, made from the variables that the program reads. */
export function configurationPage(modules: Modules): string {
  const { variables } = modules;
  const titles = titlesOf(modules);
  const sections = [...new Set(titles.values())].flatMap((title) => {
    const own = Object.keys(variables).filter((name) => titles.get(name) === title);
    return ['', `## ${title}`, '', ...tableOf(variables, own)];
  });
  return `${[...INTRODUCTION, ...sections, ...switches(modules), ...platformNames(modules)].join('\n')}\n`;
}

/** The heading of every variable, in the order of the headings on the page. */
function titlesOf({ configParts, variables }: Modules): ReadonlyMap<string, string> {
  const ofModules = configParts.flatMap(({ definition }) =>
    Object.keys(definition.variables).map((name) => [name, definition.title] as const),
  );
  const titles = new Map(ofModules);
  const others = Object.keys(variables).filter((name) => !titles.has(name));
  for (const [title, prefixes] of SECTIONS) {
    for (const name of others) {
      const fits = prefixes.some((prefix) => name.startsWith(prefix));
      if (fits && !titles.has(name)) titles.set(name, title);
    }
  }
  return titles;
}

const INTRODUCTION = [
  '<!-- Generated from the variables of src/config and of all modules by `npm run docs`. Do not edit. -->',
  '',
  '# Configuration',
  '',
  'Values are read from these places, the weakest first: `config/default.json`, `config/$NODE_ENV.json`, `.env`, the environment.',
  'A wrong value stops the start, and the message names every wrong one at once. `config` prints the configuration in force,',
  '`config --env-example` a commented `.env`. Secrets (marked 🔒) are never printed or logged.',
];

function tableOf(variables: Variables, names: readonly string[]): string[] {
  return [
    '| variable | default | meaning | values |',
    '|---|---|---|---|',
    ...Object.entries(variables)
      .filter(([name]) => names.includes(name))
      .map(([name, { doc, format, default: value, secret }]) => {
        const mark = secret === true ? ' 🔒' : '';
        return `| \`${name}\`${mark} | ${code(textOf(value))} | ${cell(doc)} | ${cell(format.allowed)} |`;
      }),
  ];
}

function switches({ configParts }: Modules): string[] {
  return [
    '',
    '## Switches of events',
    '',
    'If no switch of a family is set, every event passes. As soon as one is set, only events whose switch says `true` pass.',
    '`<KEY>` is an event such as `MESSAGES_UPSERT`; `GROUP_UPDATE` and `GROUPS_UPDATE` mean the same.',
    '',
    '| switches | choose |',
    '|---|---|',
    ...configParts
      .flatMap(({ definition }) => definition.switches ?? [])
      .map(({ prefix, choose }) => `| \`${prefix}<KEY>\` | ${choose} |`),
  ];
}

function platformNames({ platformNames: names, goNames }: Modules): string[] {
  return [
    '',
    '## Names that hosting platforms set',
    '',
    'They are read if the variable itself is not set.',
    '',
    '| name | stands for |',
    '|---|---|',
    ...Object.entries(names).map(([name, stands]) => `| \`${name}\` | \`${stands}\` |`),
    ...Object.entries(goNames).map(
      ([name, stands]) =>
        `| \`${name}\` (evolution-go) | \`${stands}\`, where \`${MARK_OF_EVOLUTION_GO}\` is set, too |`,
    ),
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
