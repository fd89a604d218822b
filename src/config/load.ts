import convict from 'convict';
import { ConfigError } from '../errors';
import { type Config, coreConfigOf } from './config';
import { isGiven, wantedBy } from './formats';
import { deepFreeze } from './freeze';
import { type Origin, type RawValues, readLayers } from './layers';
import { misspelt } from './misspelt';
import type { ConfigPart } from './part';
import { Reading } from './reading';
import type { Variable, Variables } from './variable';
import { CORE_VARIABLES, MARK_OF_EVOLUTION_GO, PLATFORM_NAMES, type Values } from './variables';

/** Where a configuration is read from. */
export interface ConfigPlace {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** The configuration, and what it was made of. */
export interface Loaded {
  readonly config: Config;
  readonly variables: Variables;
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: ReadonlyMap<string, Origin>;
  /** What is written somewhere and has no effect, such as a misspelt name: one of `warnings`, and the likely cause of what is missing. */
  readonly unheeded: readonly string[];
  /** Worth telling the operator, but no reason not to start. */
  readonly warnings: readonly string[];
  /** Chosen on purpose, and worth a line all the same. */
  readonly notes: readonly string[];
}

/** Every variable, in the order in which they are shown: those of the parts, and those that belong to none. */
export function variablesOf(parts: readonly ConfigPart[]): Variables {
  return Object.assign({}, ...parts.map(({ definition }) => definition.variables), CORE_VARIABLES);
}

/** Names that hosting platforms set. They are read if the variable itself is not set. */
export function platformNamesOf(parts: readonly ConfigPart[]): Readonly<Record<string, string>> {
  return Object.assign({}, PLATFORM_NAMES, ...parts.map(({ definition }) => definition.platformNames));
}

/** Names of evolution-go that count only beside its `GLOBAL_API_KEY`. */
export function goNamesOf(parts: readonly ConfigPart[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...parts.map(({ definition }) => definition.goNames));
}

/**
 * Reads and checks the whole configuration.
 *
 * @throws ConfigError naming every wrong variable at once
 */
export function loadConfig(parts: readonly ConfigPart[], { directory, environment }: ConfigPlace): Loaded {
  const variables = variablesOf(parts);
  const platformNames = platformNamesOf(parts);
  const layers = readLayers(directory, environment);
  const isOfGo = isGiven(layers.values[MARK_OF_EVOLUTION_GO]);
  const raw = withPlatformNames(layers, isOfGo ? { ...platformNames, ...goNamesOf(parts) } : platformNames);
  const { values, wrong } = check(variables, raw);
  const reading = new Reading(raw.values, wrong);
  const known = [...Object.keys(variables), ...Object.keys(platformNames)];
  const prefixes = parts.flatMap(({ definition }) => definition.switches?.prefix ?? []);
  const unheeded = [...layers.warnings, ...misspelt(layers, known, prefixes)];
  for (const warning of unheeded) reading.warn(warning);
  for (const note of layers.notes) reading.note(note);
  const config = configOf(parts, values, reading);
  const all = [...wrong.values(), ...reading.problems];
  if (all.length > 0) throw new ConfigError([...all, ...unheeded]);
  const origins = new Map<string, Origin>();
  for (const name of Object.keys(variables)) origins.set(name, raw.origins.get(name) ?? 'default');
  const { warnings, notes } = reading;
  return { config, variables, values, origins, unheeded, warnings, notes };
}

/** convict gave each variable a value of its format, so that values are what the variables' types say. */
function configOf(
  parts: readonly ConfigPart[],
  values: Readonly<Record<string, unknown>>,
  reading: Reading,
): Config {
  const core = coreConfigOf(values as Values, reading);
  const own = parts.map(({ definition }) => [definition.name, definition.read(values, reading, core)]);
  return deepFreeze({ ...core, parts: Object.fromEntries(own) });
}

interface GivenValues extends RawValues {
  /** The names under which they were given, where those are others. */
  readonly givenAs: ReadonlyMap<string, string>;
}

function withPlatformNames(raw: RawValues, platformNames: Readonly<Record<string, string>>): GivenValues {
  const values = { ...raw.values };
  const origins = new Map(raw.origins);
  const givenAs = new Map<string, string>();
  for (const [foreign, ours] of Object.entries(platformNames)) {
    if (!isGiven(values[foreign]) || isGiven(values[ours])) continue;
    values[ours] = values[foreign];
    origins.set(ours, `${origins.get(foreign)} (${foreign})`);
    givenAs.set(ours, foreign);
  }
  return { ...raw, values, origins, givenAs };
}

interface Checked {
  /** Of each variable its default, where what was given is wrong. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What is wrong, by variable. */
  readonly wrong: ReadonlyMap<string, string>;
}

/**
 * convict is given what is of its format alone: it takes the fields of an object for variables, and says of one that has no
 * business there in words of its own what nobody here can read.
 */
function check(variables: Variables, { values: given, givenAs }: GivenValues): Checked {
  const schema: Record<string, convict.SchemaObj> = {};
  const env: Record<string, unknown> = {};
  const wrong = new Map<string, string>();
  for (const [name, variable] of Object.entries(variables)) {
    schema[name] = declare(name, variable);
    const value = given[name];
    if (!isGiven(value)) continue;
    if (variable.format.parse(value) !== undefined) env[name] = value;
    else {
      const foreign = givenAs.get(name);
      const where = foreign === undefined ? '' : ` (${foreign} stands for it)`;
      wrong.set(name, `${name}: must be ${wantedBy(variable.format, value)}${where}`);
    }
  }
  const values = convict(schema, { env: env as NodeJS.ProcessEnv, args: [] }).getProperties();
  return { values, wrong };
}

function declare(name: string, variable: Variable<unknown>): convict.SchemaObj {
  const { doc, format, default: defaultValue, secret } = variable;
  const formatName = `relay ${name}`;
  convict.addFormat({
    name: formatName,
    coerce: (raw: unknown) => format.parse(raw)?.value,
    validate: () => {},
  });
  return { doc, format: formatName, default: defaultValue, env: name, sensitive: secret === true };
}
