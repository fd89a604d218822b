import { join } from 'node:path';
import { ConfigError, errorText } from '../errors';
import { parseEnvFile } from './env-file';
import { isThere, MAX_CONFIG_BYTES, readTextFile, UnfitFileError } from './text-file';

/** Where a value came from: a file's name, `environment`, or `default`. */
export type Origin = string;

/** Raw settings by variable name, strongest layer last applied, each with its origin. */
export interface RawValues {
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: ReadonlyMap<string, Origin>;
  /** What is written somewhere and has no effect. */
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Layers, weakest first: `config/default.json`, `config/$NODE_ENV.json`, `.env`, the environment
 * (docs/configuration.md).
 *
 * @throws ConfigError when a file is there but cannot be read
 */
export function readLayers(directory: string, environment: NodeJS.ProcessEnv): RawValues {
  const nodeEnv = environment['NODE_ENV'];
  const dotEnv = readFile(join(directory, '.env'), '.env', parseEnvFile) ?? parseEnvFile('');
  const layers: (readonly [Origin, Readonly<Record<string, unknown>>])[] = [
    ...['config/default.json', ...(nodeEnv ? [`config/${nodeEnv}.json`] : [])].map(
      (file) => [file, readFile(join(directory, file), file, parseJsonObject) ?? {}] as const,
    ),
    ['.env', dotEnv.values],
    ['environment', withoutQuotes(environment)],
  ];
  const values: Record<string, unknown> = {};
  const origins = new Map<string, Origin>();
  for (const [origin, layer] of layers) {
    for (const [name, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      values[name] = value;
      origins.set(name, origin);
    }
  }
  return { values, origins, warnings: dotEnv.faults.map(inDotEnv), notes: dotEnv.repeated.map(inDotEnv) };
}

function inDotEnv(line: string): string {
  return `.env: ${line}`;
}

/** Undefined where there is none. */
function readFile<T>(path: string, name: string, parse: (content: string) => T): T | undefined {
  if (!isThere(path)) return undefined;
  try {
    return parse(readTextFile(path, MAX_CONFIG_BYTES).toString('utf8'));
  } catch (error) {
    throw new ConfigError([`${name} cannot be read: ${fileProblem(error)}`]);
  }
}

/** What is wrong with a file. JSON.parse quotes the text around a mistake, which may be a secret. */
export function fileProblem(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is not JSON';
  return errorText(error);
}

function parseJsonObject(content: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(content);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new UnfitFileError('it is not a JSON object');
  return { ...parsed };
}

/** `docker run --env-file` hands the quotes on that a shell and dotenv take away. */
function withoutQuotes(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value?.replace(/^(["'])((?:(?!\1).)*)\1$/s, '$2'),
    ]),
  );
}
