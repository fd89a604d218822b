import type { CoreConfig } from '../../config/config';
import { isHeader, isSigningKey, isVerifiableKey, UNVERIFIABLE_KEY } from '../../config/formats';
import { type ConfigPart, configPart } from '../../config/part';
import type { Reading } from '../../config/reading';
import type { ValuesOf } from '../../config/variable';
import type { Normalise } from '../../events/normalise';
import type { Limits } from '../../pipeline/destination-limits';
import { readContent } from '../content-variables';
import { readLimits } from '../delivery-variables';
import type { Wants } from '../destination-fields';
import { readNormalise } from '../normalise-variables';
import { WEBHOOK_VARIABLES } from './webhook-variables';

export interface WebhookConfig {
  readonly global: GlobalWebhookConfig | undefined;
  readonly legacyPaths: boolean;
  /** Answers that will never change. */
  readonly rejectedStatuses: ReadonlySet<number>;
}

export interface GlobalWebhookConfig extends Wants {
  readonly url: string;
  readonly byEvents: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly signingSecrets: readonly string[];
  readonly limits: Limits;
  readonly normalise: Normalise;
}

type Values = ValuesOf<typeof WEBHOOK_VARIABLES>;

const SWITCHES = { prefix: 'WEBHOOK_EVENTS_', choose: 'events that the global webhook receives' };

export const webhookConfig: ConfigPart<WebhookConfig> = configPart({
  name: 'webhook',
  title: 'Webhooks',
  variables: WEBHOOK_VARIABLES,
  switches: SWITCHES,
  // As the core API's documents call it.
  platformNames: { WEBHOOK_BY_EVENTS: 'WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS' },
  goNames: { WEBHOOK_URL: 'WEBHOOK_GLOBAL_URL' },
  read: (values, reading, core) => ({
    global: globalOf(values, reading, core),
    legacyPaths: values.WEBHOOK_LEGACY_PATHS,
    rejectedStatuses: rejectedStatusesOf(values, reading),
  }),
});

function globalOf(values: Values, reading: Reading, core: CoreConfig): GlobalWebhookConfig | undefined {
  const url = values.WEBHOOK_GLOBAL_URL;
  const enabled = values.WEBHOOK_GLOBAL_ENABLED ?? url !== undefined;
  if (enabled && url === undefined) {
    reading.problem('WEBHOOK_GLOBAL_URL: must be set while WEBHOOK_GLOBAL_ENABLED is true');
  }
  const events = reading.switches(SWITCHES);
  const content = readContent('WEBHOOK_GLOBAL', values, reading);
  const limits = readLimits('WEBHOOK_GLOBAL', values, reading);
  const normalise = readNormalise('WEBHOOK_GLOBAL_NORMALISE', values.WEBHOOK_GLOBAL_NORMALISE, reading, core);
  checkSecrets(values, reading);
  if (!enabled || url === undefined) return undefined;
  if (events !== 'all' && events.size === 0) {
    reading.warn('every WEBHOOK_EVENTS_… says false: the global webhook receives nothing');
  }
  return {
    url,
    byEvents: values.WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS,
    headers: values.WEBHOOK_GLOBAL_HEADERS,
    signingSecrets: values.WEBHOOK_SIGNING_SECRET,
    events,
    content,
    limits,
    normalise,
  };
}

function checkSecrets(values: Values, reading: Reading): void {
  for (const secret of values.WEBHOOK_SIGNING_SECRET) {
    if (!isSigningKey(secret)) {
      reading.problem(
        'WEBHOOK_SIGNING_SECRET: must be base64 of at least 16 bytes, with or without whsec_ before it',
      );
    } else if (!isVerifiableKey(secret)) reading.warn(`WEBHOOK_SIGNING_SECRET: ${UNVERIFIABLE_KEY}`);
  }
  for (const [name, value] of Object.entries(values.WEBHOOK_GLOBAL_HEADERS)) {
    if (!isHeader(name, value)) {
      reading.problem(
        `WEBHOOK_GLOBAL_HEADERS: ${JSON.stringify(name)} must be a header name with a value in Latin-1`,
      );
    }
  }
}

function rejectedStatusesOf(values: Values, reading: Reading): ReadonlySet<number> {
  const statuses = values.WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES.map(Number);
  if (statuses.some((status) => !Number.isInteger(status) || status < 300 || status > 599)) {
    reading.problem(
      'WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES: must be a comma-separated list of codes from 300 to 599',
    );
  }
  return new Set(statuses);
}
