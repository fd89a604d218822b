import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError, errorText } from '../errors';
import { readTextFile } from './text-file';

/** Where a value came from: a file's name, `environment`, or `default`. */
export type Origin = string;

/** Raw settings by variable name, strongest layer last applied, each with its origin. */
export interface RawValues {
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: ReadonlyMap<string, Origin>;
}

/**
 * Layers, weakest first: `config/default.json`, `config/$NODE_ENV.json`, `.env`, the environment
 * (docs/configuration.md).
 *
 * @throws ConfigError when a file is there but cannot be read
 */
export function readLayers(directory: string, environment: NodeJS.ProcessEnv): RawValues {
  const nodeEnv = environment['NODE_ENV'];
  const layers: (readonly [Origin, Readonly<Record<string, unknown>>])[] = [
    ...['config/default.json', ...(nodeEnv ? [`config/${nodeEnv}.json`] : [])].map(
      (file) => [file, readFile(join(directory, file), file, parseJsonObject)] as const,
    ),
    ['.env', readFile(join(directory, '.env'), '.env', parseEnv)],
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
  return { values, origins };
}

function readFile(
  path: string,
  name: string,
  parse: (content: string) => Record<string, unknown> | NodeJS.Dict<string>,
): Readonly<Record<string, unknown>> {
  // A link that leads nowhere is there: whoever made it wants it read.
  if (!existsSync(path) && !isLink(path)) return {};
  try {
    return parse(readTextFile(path).toString('utf8'));
  } catch (error) {
    throw new ConfigError([`${name} cannot be read: ${fileProblem(error)}`]);
  }
}

function isLink(path: string): boolean {
  try {
    return readlinkSync(path) !== '';
  } catch {
    return false;
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
    throw new Error('not a JSON object');
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
