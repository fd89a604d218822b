import convict from 'convict';
import { ConfigError } from '../errors';
import { buildConfig, type Config } from './config';
import { type Origin, type RawValues, readLayers } from './layers';
import { PLATFORM_NAMES, VARIABLES, type Values, type VariableName } from './variables';

/** The configuration, and what it was made of. */
export interface Loaded {
  readonly config: Config;
  readonly values: Values;
  readonly origins: ReadonlyMap<VariableName, Origin>;
  /** Worth telling the operator, but no reason not to start. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks the whole configuration.
 *
 * @throws ConfigError naming every wrong variable at once
 */
export function loadConfig(directory: string, environment: NodeJS.ProcessEnv): Loaded {
  const raw = withPlatformNames(readLayers(directory, environment));
  const checked = check(raw);
  const problems = [...checked.problems];
  const warnings: string[] = [];
  const config = buildConfig(checked.values, raw.values, problems, warnings);
  if (problems.length > 0) throw new ConfigError(problems);
  const origins = new Map<VariableName, Origin>();
  for (const name of names()) origins.set(name, raw.origins.get(name) ?? 'default');
  return { config, values: checked.values, origins, warnings };
}

/** Every variable's name, in the order of the schema. */
export function names(): readonly VariableName[] {
  return Object.keys(VARIABLES) as VariableName[];
}

function withPlatformNames(raw: RawValues): RawValues {
  const values = { ...raw.values };
  const origins = new Map(raw.origins);
  for (const [foreign, ours] of Object.entries(PLATFORM_NAMES)) {
    if (values[foreign] === undefined || (values[ours] ?? '') !== '') continue;
    values[ours] = values[foreign];
    origins.set(ours, `${origins.get(foreign)} (${foreign})`);
  }
  return { values, origins };
}

function check(raw: RawValues): { values: Values; problems: readonly string[] } {
  const schema: Record<string, convict.SchemaObj> = {};
  for (const name of names()) schema[name] = declare(name);
  // Empty text counts as not set, as in the core API.
  const env = Object.fromEntries(Object.entries(raw.values).filter(([, value]) => value !== ''));
  const instance = convict(schema, { env: env as NodeJS.ProcessEnv, args: [] });
  const values = instance.getProperties() as unknown as Values;
  try {
    instance.validate({ allowed: 'strict' });
    return { values, problems: [] };
  } catch (error) {
    return { values, problems: (error instanceof Error ? error.message : String(error)).split('\n') };
  }
}

function declare(name: VariableName): convict.SchemaObj {
  const { doc, format, default: defaultValue, ...rest } = VARIABLES[name];
  const formatName = `relay ${name}`;
  convict.addFormat({
    name: formatName,
    coerce: (raw: unknown) => {
      const parsed = format.parse(raw);
      return parsed === undefined ? raw : parsed.value;
    },
    validate: (value: unknown) => {
      if (format.parse(value) === undefined) throw new Error(`must be ${format.allowed}`);
    },
  });
  return { doc, format: formatName, default: defaultValue, env: name, sensitive: 'secret' in rest };
}
