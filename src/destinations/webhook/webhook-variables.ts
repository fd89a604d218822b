import { flag, httpUrl, list, optional, stringMap } from '../../config/formats';
import { secret, variable } from '../../config/variable';
import { contentVariables } from '../content-variables';
import { concurrencyVariable, orderedVariable } from '../delivery-variables';
import { normaliseVariable } from '../normalise-variables';

/** Variables of webhooks that are of no use to other destinations. */
export const WEBHOOK_VARIABLES = {
  WEBHOOK_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'Deliver to WEBHOOK_GLOBAL_URL. Unset: yes if it is set.',
  ),
  WEBHOOK_GLOBAL_URL: secret(
    optional(httpUrl),
    undefined,
    'Address of the global webhook, which receives the events of all instances.',
  ),
  WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS: variable(
    flag,
    false,
    'Append /messages-upsert and so on to the address of the global webhook.',
  ),
  WEBHOOK_GLOBAL_HEADERS: secret(stringMap, {}, 'Headers of the global webhook, as a JSON object.'),
  ...contentVariables('WEBHOOK_GLOBAL', 'the global webhook'),
  WEBHOOK_GLOBAL_NORMALISE: normaliseVariable('the global webhook'),
  WEBHOOK_SIGNING_SECRET: secret(
    list,
    [],
    'Secret that signs the global webhook (Standard Webhooks). Two, the new one first, while rotating.',
  ),
  WEBHOOK_GLOBAL_CONCURRENCY: concurrencyVariable('the global webhook'),
  WEBHOOK_GLOBAL_ORDERED: orderedVariable('the global webhook'),
  WEBHOOK_LEGACY_PATHS: variable(
    flag,
    false,
    "Use the suffixes of the core API's older documentation for webhooks by events.",
  ),
  WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES: variable(
    list,
    ['400', '401', '403', '404', '422'],
    'Answers that will not change: such a delivery becomes a dead letter at once.',
  ),
};
