import { flag, httpUrl, integer, list, optional, text } from './formats';
import { port, secret, variable } from './variable';

/** Variables of the gateway. */
export const GATEWAY_VARIABLES = {
  AUTHENTICATION_API_KEY: secret(
    text,
    '',
    "The operator's key, which opens everything in the gateway. The gateway does not start without it.",
  ),
  DASHBOARD_READ_KEY: secret(
    text,
    '',
    'A key for the dashboard that sees everything and changes nothing. Empty: there is none.',
  ),
  CORE_API_URL: secret(
    optional(httpUrl),
    undefined,
    'Address of the core API, which has the same AUTHENTICATION_API_KEY. Set, the gateway answers 404 for instances that it does not have.',
  ),
  GATEWAY_HOST: variable(text, '0.0.0.0', 'Address that the gateway listens on.'),
  GATEWAY_PORT: variable(port, 8090, 'Port of the gateway.'),
  GATEWAY_TRUSTED_PROXIES: variable(
    list,
    [],
    'Addresses or networks (CIDR) of proxies whose X-Forwarded-For is believed.',
  ),
  GATEWAY_MAX_CONNECTIONS: variable(
    optional(integer(16, 1_000_000)),
    undefined,
    "Connections to the gateway's port. Unset: three eighths of the process's file descriptors, at most 20,000.",
  ),
  GATEWAY_MAX_CONNECTIONS_PER_ADDRESS: variable(
    optional(integer(1, 1_000_000)),
    undefined,
    'Connections of one address (IPv6: one /64) to the gateway that showed no key. Unset: a quarter of all, at most 1,000.',
  ),
  SERVER_URL: variable(
    text,
    'http://localhost:8080',
    'Address of the core API. Sample and test events have it as server_url; real ones bring their own.',
  ),
  SERVER_DISABLE_DOCS: variable(flag, false, 'Do not serve /docs in the gateway.'),
  CORS_ORIGIN: variable(list, ['*'], 'Origins whose pages may call the gateway.'),
  CORS_METHODS: variable(
    list,
    ['POST', 'GET', 'PUT', 'DELETE'],
    'Methods that pages of other origins may use at the gateway.',
  ),
  CORS_CREDENTIALS: variable(
    flag,
    false,
    'Let pages of other origins send cookies to the gateway. No effect while CORS_ORIGIN is *.',
  ),
  GATEWAY_URL: variable(
    optional(httpUrl),
    undefined,
    'Address at which browsers reach the gateway. Links to events too large for Pusher start with it.',
  ),
} as const;
