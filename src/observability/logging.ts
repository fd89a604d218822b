import winston from 'winston';

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
  /** One level name, or the core API's list (contract E). */
  readonly levels: readonly string[];
  readonly color: boolean;
  readonly format: 'auto' | 'json' | 'text';
}

const NAMES = ['error', 'warn', 'info', 'debug'] as const;
type LevelName = (typeof NAMES)[number];

/** The core API's words for levels; its list is as talkative as its most talkative word. */
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

/** The most talkative level of a list; unknown words are passed over. */
export function levelOf(levels: readonly string[]): LevelName {
  const ranks = levels.map((word) => NAMES.indexOf(LEVELS[word.trim().toUpperCase()] ?? 'error'));
  return NAMES[Math.max(0, ...ranks)] ?? 'info';
}

export function createLogger(options: LoggingOptions): Logger {
  const level = levelOf(options.levels);
  const json = options.format === 'json' || (options.format === 'auto' && !process.stdout.isTTY);
  const logger = winston.createLogger({
    level,
    format: winston.format.combine(
      winston.format.timestamp(),
      json ? winston.format.json() : readable(options.color),
    ),
    transports: [new winston.transports.Console()],
  });
  return {
    error: (message, fields) => void logger.error(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    debug: (message, fields) => void logger.debug(message, fields),
    isDebug: level === 'debug',
  };
}

function readable(color: boolean): winston.Logform.Format {
  const line = winston.format.printf(({ timestamp, level, message, ...fields }) => {
    const rest = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`);
    return [String(timestamp), level.padEnd(5), message, ...rest].join(' ');
  });
  return color ? winston.format.combine(winston.format.colorize({ level: true }), line) : line;
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /\s/.test(text ?? '') ? JSON.stringify(text) : String(text);
}

/** A logger that writes nothing, for tests and commands that print their own lines. */
export const SILENT: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  isDebug: false,
};
