import { flag, httpUrl, integer, number, oneOf, optional, text, urlOf } from './formats';
import { port, secret, variable } from './variable';

/** Variables of Pusher, of its references, and of outgoing proxies. */
export const PUSHER_VARIABLES = {
  PUSHER_ENABLED: variable(optional(flag), undefined, 'send to Pusher at all; on unless false'),
  PUSHER_URL: secret(
    optional(urlOf('http:', 'https:')),
    undefined,
    'global app as https://KEY:SECRET@HOST/apps/APP_ID (Heroku); PUSHER_GLOBAL_… come first',
  ),
  PUSHER_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'send the events of all instances to the global app; on where its id is set',
  ),
  PUSHER_GLOBAL_APP_ID: variable(text, '', 'app id of the global app'),
  PUSHER_GLOBAL_KEY: variable(text, '', 'its key'),
  PUSHER_GLOBAL_SECRET: secret(text, '', 'its secret'),
  PUSHER_GLOBAL_CLUSTER: variable(text, '', 'its cluster, such as us2'),
  PUSHER_GLOBAL_USE_TLS: variable(optional(flag), undefined, 'TLS to Pusher; on unless false'),
  PUSHER_GLOBAL_HOST: variable(text, '', 'a Pusher-compatible server instead of a cluster'),
  PUSHER_GLOBAL_PORT: variable(optional(port), undefined, 'and its port'),
  PUSHER_CHANNEL_PREFIX: variable(
    text,
    '',
    'before the instance name in channels, such as private-, presence-, private-encrypted-',
  ),
  PUSHER_ENCRYPTION_MASTER_KEY_BASE64: secret(
    text,
    '',
    '32 bytes base64 for private-encrypted- channels; Pusher never learns it',
  ),
  PUSHER_MAX_EVENT_BYTES: variable(
    integer(1024, 10_485_760),
    10_240,
    'most that Pusher takes as data of one event; higher where your plan says so',
  ),
  PUSHER_OVERSIZE: variable(
    oneOf('drop', 'reference'),
    'drop',
    'larger events: dead-lettered with an error log, or kept here and sent as a link',
  ),
  PUSHER_REFERENCE_TTL_SECONDS: variable(integer(1, 31_536_000), 86_400, 'how long a link works'),
  PUSHER_REFERENCE_MAX_BYTES: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'most that events behind links take in Redis; the oldest go first',
  ),
  PUSHER_SKIP_VACANT_CHANNELS: variable(
    flag,
    false,
    'send only to channels that somebody subscribes to; needs the app’s webhooks',
  ),
  PUSHER_VACANT_CHECK_SECONDS: variable(integer(1, 86_400), 60, 'ask Pusher which channels are occupied'),
  PUSHER_REQUEST_TIMEOUT_MS: variable(integer(1, 600_000), 30_000, 'whole request, milliseconds'),
  PUSHER_BATCH_LINGER_MS: variable(
    number(0, 1000),
    5,
    'longest wait for others to share a request, milliseconds',
  ),
  PUSHER_AUTH_HOOK_URL: secret(
    optional(httpUrl),
    undefined,
    'asked before a subscription is signed: 2xx lets it through, and may tell user_id and user_info',
  ),
  GATEWAY_URL: variable(
    optional(httpUrl),
    undefined,
    'address at which browsers reach the gateway, for links to events',
  ),

  HTTP_PROXY: secret(optional(httpUrl), undefined, 'proxy for webhooks and Pusher at http:// addresses'),
  HTTPS_PROXY: secret(optional(httpUrl), undefined, 'and at https:// addresses'),
  NO_PROXY: variable(text, '', 'hosts that are reached without: a comma separated list, * for all'),
} as const;
