import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse, stringify } from 'yaml';
import { type Functions, GoTemplates, isTrue, type Value } from './go-template';
import { readManifests } from './kustomize';
import type { Manifest } from './manifest';

type Values = { readonly [key: string]: Value };

export interface Release {
  readonly manifests: readonly Manifest[];
  readonly notes: string;
}

/** What `helm template` makes of a chart and values beside its own. */
export function helm(folder: string, values: Values, release = 'evolution-relay'): Release {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const chart = parse(read('Chart.yaml')) as { name: string; version: string; appVersion: string };
  const merged = merge(parse(read('values.yaml')) as Values, values);
  const validate = new Ajv({ allErrors: true, strict: false }).compile(
    JSON.parse(read('values.schema.json')),
  );
  if (!validate(merged)) throw new RangeError(`values: ${JSON.stringify(validate.errors)}`);
  const templates = new GoTemplates({ ...FUNCTIONS, get: (name) => read(String(name)) });
  const names = readdirSync(join(folder, 'templates'));
  // Methods of objects are no fields here: the one that the chart calls is written as a function.
  for (const name of names)
    templates.add(path(chart.name, name), read(join('templates', name)).replaceAll('.Files.Get ', 'get '));
  const dot: Value = {
    Values: merged,
    Release: { Name: release, Namespace: 'messaging', Service: 'Helm' },
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
    Template: { BasePath: `${chart.name}/templates` },
  };
  const rendered = (name: string): string => templates.render(path(chart.name, name), dot);
  return {
    manifests: names
      .filter((name) => name.endsWith('.yaml'))
      .flatMap((name) => readManifests(rendered(name))),
    notes: rendered('NOTES.txt'),
  };
}

function path(chart: string, name: string): string {
  return `${chart}/templates/${name}`;
}

function merge(base: Values, over: Values): Values {
  const merged = Object.entries(over).map(([key, value]) => {
    const below = base[key];
    return [key, isMap(below) && isMap(value) ? merge(below, value) : value] as const;
  });
  return { ...base, ...Object.fromEntries(merged) };
}

function isMap(value: Value): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text = (value: Value): string => String(value ?? '');
const indented = (count: Value, value: Value): string =>
  text(value).replace(/^/gm, ' '.repeat(Number(count)));

/** Of Helm, Sprig and Go: those that the chart uses, with their order of arguments. */
const FUNCTIONS: Functions = {
  toYaml: (value) => stringify(value).trimEnd(),
  quote: (value) => JSON.stringify(text(value)),
  nindent: (count, value) => `\n${indented(count, value)}`,
  default: (fallback, value) => (isTrue(value) ? value : fallback),
  required: (message, value) => {
    if (value === undefined || value === null || value === '') throw new RangeError(text(message));
    return value;
  },
  fail: (message) => {
    throw new RangeError(text(message));
  },
  print: (...values) => values.map(text).join(''),
  printf: (format, ...values) => text(format).replace(/%s/g, () => text(values.shift())),
  trunc: (length, value) => text(value).slice(0, Number(length)),
  trimSuffix: (suffix, value) =>
    text(value).endsWith(text(suffix)) ? text(value).slice(0, -text(suffix).length) : value,
  replace: (from, to, value) => text(value).replaceAll(text(from), text(to)),
  sha256sum: (value) => createHash('sha256').update(text(value)).digest('hex'),
  list: (...values) => values,
  hasKey: (map, key) => isMap(map) && text(key) in map,
  int: (value) => Math.trunc(Number(value)),
  add: (...values) => values.reduce((sum: number, value) => sum + Number(value), 0),
  le: (a, b) => Number(a) <= Number(b),
  eq: (a, b) => a === b,
  not: (value) => !isTrue(value),
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
};
