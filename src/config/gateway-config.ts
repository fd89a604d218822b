import { counted } from '../plural';
import { isNetwork, unsendableKey } from './formats';
import type { Reading } from './reading';
import { parseUrl } from './url';
import type { Values } from './variables';

export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  /** Opens everything; empty: the gateway does not start. */
  readonly apiKey: string;
  /** Opens the dashboard, to look and not to change; empty: there is none. */
  readonly readKey: string;
  /** Which instances there are is asked there; undefined: that is not known. */
  readonly coreApiUrl: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly docs: boolean;
  /** Undefined: by the file descriptors of the process. */
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerAddress: number | undefined;
  /** `GATEWAY_URL`: the address at which browsers reach the gateway. */
  readonly publicUrl: string | undefined;
  readonly cors: {
    readonly origins: readonly string[];
    readonly methods: readonly string[];
    /** Never together with the origin `*`. */
    readonly credentials: boolean;
  };
}

/** The core API's own default, and the one of its `.env.example`: everybody knows them. */
const PUBLISHED_KEYS: ReadonlySet<string> = new Set(['BQYHJGJHJ', '429683C4C977415CAAFCCE10F7D57E11']);

/** Whoever has it opens everything: shorter ones are found by trying. */
const GOOD_KEY_LENGTH = 16;
const STRONG_KEY = 'set another one, such as the output of: openssl rand -hex 24';

/** A weak key is a warning, at each start and in `doctor`: the core API's `.env` must work here, whatever its key. */
function checkApiKey(key: string, reading: Reading): void {
  if (key === '') return;
  if (PUBLISHED_KEYS.has(key)) {
    reading.warn(
      `AUTHENTICATION_API_KEY is the one of the published examples: everybody knows it; ${STRONG_KEY}`,
    );
  } else if (key.length < GOOD_KEY_LENGTH) {
    reading.warn(`AUTHENTICATION_API_KEY has only ${counted(key.length, 'character')}: ${STRONG_KEY}`);
  } else if (new Set(key).size === 1) {
    reading.warn(`AUTHENTICATION_API_KEY is one character over and over: ${STRONG_KEY}`);
  }
}

function checkReadKey({ AUTHENTICATION_API_KEY, DASHBOARD_READ_KEY: key }: Values, reading: Reading): void {
  if (key === '') return;
  if (key === AUTHENTICATION_API_KEY) {
    reading.problem('DASHBOARD_READ_KEY: must not be AUTHENTICATION_API_KEY, which opens everything');
  } else if (key.length < GOOD_KEY_LENGTH) {
    reading.warn(`DASHBOARD_READ_KEY has only ${counted(key.length, 'character')}: ${STRONG_KEY}`);
  }
}

/** An origin that no browser sends lets no page in, and nothing else says so. */
function checkOrigins(origins: readonly string[], reading: Reading): void {
  for (const origin of origins) {
    if (ANY_ORIGIN.has(origin) || isOrigin(origin)) continue;
    reading.warn(
      `CORS_ORIGIN: no browser sends the origin ${JSON.stringify(origin)}: it must be like https://app.example.com, in lower case, without a path and without the port that its scheme has anyway`,
    );
  }
}

const ANY_ORIGIN: ReadonlySet<string> = new Set(['*', 'null']);

function isOrigin(text: string): boolean {
  // Of apps, such as capacitor://localhost, URL says that there is none.
  return /^https?:/i.test(text) ? parseUrl(text)?.origin === text : /^[a-z][a-z\d+.-]*:\/\/[^/]+$/.test(text);
}

export function gatewayOf(values: Values, reading: Reading): GatewayConfig {
  checkApiKey(values.AUTHENTICATION_API_KEY, reading);
  for (const name of ['AUTHENTICATION_API_KEY', 'DASHBOARD_READ_KEY'] as const) {
    const problem = values[name] === '' ? undefined : unsendableKey(values[name]);
    if (problem !== undefined) reading.warn(`${name} ${problem}`);
  }
  if (!values.GATEWAY_TRUSTED_PROXIES.every(isNetwork)) {
    reading.problem('GATEWAY_TRUSTED_PROXIES: must be a list of addresses or networks, such as 10.0.0.0/8');
  }
  checkReadKey(values, reading);
  checkOrigins(values.CORS_ORIGIN, reading);
  const isOpen = values.CORS_ORIGIN.includes('*');
  if (isOpen && values.CORS_CREDENTIALS) {
    reading.warn(
      'CORS_CREDENTIALS has no effect while CORS_ORIGIN is *: every page could act with the cookies of its visitors; list the origins',
    );
  }
  return {
    host: values.GATEWAY_HOST,
    port: values.GATEWAY_PORT,
    apiKey: values.AUTHENTICATION_API_KEY,
    readKey: values.DASHBOARD_READ_KEY,
    coreApiUrl: values.CORE_API_URL,
    trustedProxies: values.GATEWAY_TRUSTED_PROXIES,
    docs: !values.SERVER_DISABLE_DOCS,
    maxConnections: values.GATEWAY_MAX_CONNECTIONS,
    maxConnectionsPerAddress: values.GATEWAY_MAX_CONNECTIONS_PER_ADDRESS,
    publicUrl: values.GATEWAY_URL,
    cors: {
      origins: values.CORS_ORIGIN,
      methods: values.CORS_METHODS,
      credentials: values.CORS_CREDENTIALS && !isOpen,
    },
  };
}
