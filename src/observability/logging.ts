import { Writable } from 'node:stream';
import winston from 'winston';
import { LogOutput } from './log-output';
import { printable } from './printable';

/** Levels that code logs at. Fields hold no secret, no URL of a tenant and no payload. */
export interface Logger {
  error(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  /** Whether debug lines are written: asked before one is put together on the hot path. */
  readonly isDebug: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface LoggingOptions {
  /** The name of one level, or a list as the core API's LOG_LEVEL has it. */
  readonly levels: readonly string[];
  readonly color: boolean;
  readonly format: 'auto' | 'json' | 'text';
}

const NAMES = ['error', 'warn', 'info', 'debug'] as const;
type LevelName = (typeof NAMES)[number];

/** The core API's words for levels. */
const LEVELS: Readonly<Record<string, LevelName>> = {
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  LOG: 'info',
  WEBHOOKS: 'info',
  WEBSOCKET: 'info',
  DEBUG: 'debug',
  VERBOSE: 'debug',
  DARK: 'debug',
};

/** A list never goes further: the core API's own example lists every word, and means its ordinary log by it. */
const MOST_OF_A_LIST = NAMES.indexOf('info');

/** One word is its level, of a list the most verbose one up to `info`; unknown words are ignored. */
export function levelOf(levels: readonly string[]): LevelName {
  const ranks = levels.map((word) => NAMES.indexOf(LEVELS[word.trim().toUpperCase()] ?? 'error'));
  const rank = Math.max(0, ...ranks);
  return NAMES[levels.length > 1 ? Math.min(rank, MOST_OF_A_LIST) : rank] ?? 'info';
}

export interface LoggerParts {
  /** Called for each line that standard output did not take. */
  readonly onDropped?: () => void;
  /** Of every line. */
  readonly fields?: Fields;
  /** Instead of standard output. */
  readonly stream?: Writable & { readonly isTTY?: boolean };
}

/**
 * Lines are written to standard output. They are dropped while it takes none: the disk is full, or its reader is gone or does
 * not read. When it takes lines again, one line reports how many were dropped.
 */
export function createLogger(options: LoggingOptions, parts: LoggerParts = {}): Logger {
  const { stream = process.stdout, onDropped = () => {} } = parts;
  const level = levelOf(options.levels);
  const json = options.format === 'json' || (options.format === 'auto' && !stream.isTTY);
  const output = new LogOutput({
    stream,
    onDropped,
    onRecovered: (lines) => void logger.warn('standard output takes log lines again', { dropped: lines }),
  });
  const logger = winston.createLogger({
    level,
    defaultMeta: parts.fields ?? {},
    format: winston.format.combine(
      winston.format.timestamp(),
      json ? winston.format.combine(winston.format.json(), printableJson()) : readable(options.color),
    ),
    transports: [transportTo(output)],
  });
  return {
    error: (message, fields) => void logger.error(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    debug: (message, fields) => void logger.debug(message, fields),
    isDebug: level === 'debug',
  };
}

/** Where lines go that processes of ours have written already, each in the form that `formOf` says. */
export function createLineOutput(onRecovered: (dropped: number) => void): LogOutput {
  return new LogOutput({ stream: process.stdout, onDropped: () => {}, onRecovered });
}

/** The form of lines that end up in this process's standard output. */
export function formOf({ format }: Pick<LoggingOptions, 'format'>): 'json' | 'text' {
  if (format !== 'auto') return format;
  return process.stdout.isTTY ? 'text' : 'json';
}

/** Where winston puts the finished line. */
const LINE = Symbol.for('message');

/** winston's own transports keep writing to a stream that takes nothing. */
function transportTo(output: LogOutput): winston.transport {
  const stream = new Writable({
    decodeStrings: false,
    write: (line, _, done) => {
      output.write(String(line));
      done();
    },
  });
  return new winston.transports.Stream({ stream, eol: '' });
}

/** JSON escapes all but C1, DEL, and what turns the direction of text; `printable` does that the same way. */
const printableJson = winston.format((info) => ({ ...info, [LINE]: printable(String(info[LINE])) }));

function readable(color: boolean): winston.Logform.Format {
  const line = winston.format.printf(({ timestamp, level, message, ...fields }) => {
    const rest = Object.entries(fields).map(([name, value]) => `${printable(name)}=${show(value)}`);
    return [String(timestamp), level.padEnd(5), printable(String(message)), ...rest].join(' ');
  });
  return color ? winston.format.combine(winston.format.colorize({ level: true }), line) : line;
}

/** Quotes a value that could otherwise not be told apart from its surroundings. */
function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return printable(/[\s"=]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text);
}

/** A logger that writes nothing, for tests and commands that print their own lines. */
export const SILENT: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  isDebug: false,
};
