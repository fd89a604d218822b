import { flag, httpUrl, integer, list, number, oneOf, optional, text, urlOf } from '../../config/formats';
import { port, secret, variable } from '../../config/variable';
import { contentVariables } from '../content-variables';
import { deliveryVariables } from '../delivery-variables';
import { normaliseVariable } from '../normalise-variables';

/** Variables of Pusher, and of what is sent as a link in the place of an event that is too large for it. */
export const PUSHER_VARIABLES = {
  PUSHER_ENABLED: variable(optional(flag), undefined, 'Send events to Pusher. Unset: yes.'),
  PUSHER_URL: secret(
    optional(urlOf('http:', 'https:')),
    undefined,
    'The global Pusher app as https://KEY:SECRET@HOST/apps/APP_ID (Heroku). PUSHER_GLOBAL_… take precedence.',
  ),
  PUSHER_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'Send the events of all instances to the global Pusher app. Unset: yes if its id is set.',
  ),
  PUSHER_GLOBAL_APP_ID: variable(text, '', 'App id of the global Pusher app.'),
  PUSHER_GLOBAL_KEY: variable(text, '', 'Key of the global Pusher app.'),
  PUSHER_GLOBAL_SECRET: secret(text, '', 'Secret of the global Pusher app.'),
  PUSHER_GLOBAL_CLUSTER: variable(text, '', 'Cluster of the global Pusher app, such as us2.'),
  PUSHER_GLOBAL_USE_TLS: variable(optional(flag), undefined, 'Use TLS to the global Pusher app. Unset: yes.'),
  PUSHER_GLOBAL_WEBHOOK_TOKENS: secret(
    list,
    [],
    'Further tokens of the global Pusher app as KEY:SECRET, which may sign its webhooks, too, such as while a token is replaced.',
  ),
  ...contentVariables('PUSHER_GLOBAL', 'the global Pusher app'),
  PUSHER_GLOBAL_NORMALISE: normaliseVariable('the global Pusher app'),
  PUSHER_GLOBAL_HOST: variable(
    text,
    '',
    'Host of a Pusher-compatible server for the global app, instead of a cluster.',
  ),
  PUSHER_GLOBAL_PORT: variable(optional(port), undefined, 'Port of PUSHER_GLOBAL_HOST.'),
  ...deliveryVariables('PUSHER_GLOBAL', 'the global Pusher app'),
  PUSHER_CHANNEL_PREFIX: variable(
    text,
    '',
    "Prefix of the instance's name in Pusher channels: private-, presence- or private-encrypted-, for example.",
  ),
  PUSHER_ENCRYPTION_MASTER_KEY_BASE64: secret(
    text,
    '',
    'Key of private-encrypted- channels, 32 bytes as base64. Pusher never learns it.',
  ),
  PUSHER_MAX_EVENT_BYTES: variable(
    integer(1024, 10_485_760),
    10_240,
    'Most bytes that Pusher takes as the data of one event. Raise it if your plan takes more.',
  ),
  PUSHER_OVERSIZE: variable(
    oneOf('drop', 'reference'),
    'drop',
    'What happens to larger events. drop: dead letter and an error in the log. reference: kept in Redis and sent as a link.',
  ),
  PUSHER_SKIP_VACANT_CHANNELS: variable(
    flag,
    false,
    "Send only to Pusher channels that have a subscriber. Needs the app's webhooks.",
  ),
  PUSHER_VACANT_CHECK_SECONDS: variable(
    integer(1, 86_400),
    60,
    'Seconds between two questions to Pusher about which channels are occupied.',
  ),
  PUSHER_REQUEST_TIMEOUT_MS: variable(
    integer(1, 600_000),
    30_000,
    'Time limit of a whole request to Pusher, in milliseconds.',
  ),
  PUSHER_BATCH_LINGER_MS: variable(
    number(0, 1000),
    5,
    'Longest time that an event waits for others to share a request to Pusher, in milliseconds.',
  ),
  PUSHER_AUTH_HOOK_URL: secret(
    optional(httpUrl),
    undefined,
    'Address that is asked before a Pusher subscription is signed. A 2xx answer allows it, and may name user_id and user_info.',
  ),
};
