import { hasImpossiblePort, httpUrl, POSSIBLE_PORT } from '../../config/formats';
import { type ConfigPart, configPart } from '../../config/part';
import type { Reading } from '../../config/reading';
import { parseUrl } from '../../config/url';
import type { ValuesOf } from '../../config/variable';
import type { EventFilter } from '../../events/filter';
import { SQS_VARIABLES } from './sqs-variables';

export interface SqsConfig {
  readonly enabled: boolean;
  /** Undefined: the SDK's own way to find it (AWS_REGION, a profile). */
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  /** Undefined: the SDK's default chain (roles, profiles). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly accountId: string;
  readonly queueUrls: readonly string[];
  readonly templates: readonly string[];
  readonly global:
    | { readonly prefix: string; readonly singleQueue: boolean; readonly events: EventFilter }
    | undefined;
  readonly discoveryMs: number;
  readonly prefetch: number;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
  /** Scheme, host and port of the core API's S3, which events that were too large for SQS are fetched from. */
  readonly s3Origin: string | undefined;
}

/** What the service allows in the name of a queue, and for how many characters, `.fifo` included. */
const QUEUE_NAME = /^(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?$/;

/** The core API's default. */
const S3_PORT = 9000;
const HTTPS_PORT = 443;

type Values = ValuesOf<typeof SQS_VARIABLES>;

const SWITCHES = {
  prefix: 'SQS_GLOBAL_',
  choose: 'global SQS queues that are consumed',
  others: ['SQS_GLOBAL_ENABLED', 'SQS_GLOBAL_FORCE_SINGLE_QUEUE', 'SQS_GLOBAL_PREFIX_NAME'],
};

export const sqsConfig: ConfigPart<SqsConfig> = configPart({
  name: 'sqs',
  title: 'Amazon SQS',
  variables: SQS_VARIABLES,
  switches: SWITCHES,
  // Of the core API 2.4, which puts it before the account in the addresses of its queues.
  platformNames: { SQS_BASE_URL: 'SQS_ENDPOINT' },
  read: sqsOf,
});

function sqsOf(values: Values, reading: Reading): SqsConfig {
  const enabled = values.SQS_ENABLED ?? values.SQS_QUEUE_URLS.length > 0;
  const events = reading.switches(SWITCHES);
  checkNames(values, reading);
  checkS3(values, reading);
  if (enabled && values.SQS_GLOBAL_ENABLED && events !== 'all' && events.size === 0) {
    reading.warn('every SQS_GLOBAL_… says false: no global SQS queue is consumed');
  }
  return {
    enabled,
    region: regionOf(values),
    endpoint: values.SQS_ENDPOINT,
    credentials: credentialsOf(values, reading),
    accountId: values.SQS_ACCOUNT_ID,
    queueUrls: values.SQS_QUEUE_URLS,
    templates: values.SQS_QUEUE_TEMPLATES,
    global: values.SQS_GLOBAL_ENABLED
      ? { prefix: values.SQS_GLOBAL_PREFIX_NAME, singleQueue: values.SQS_GLOBAL_FORCE_SINGLE_QUEUE, events }
      : undefined,
    discoveryMs: values.SQS_DISCOVERY_SECONDS * 1000,
    prefetch: values.SQS_PREFETCH,
    waitSeconds: values.SQS_WAIT_SECONDS,
    visibilitySeconds: values.SQS_VISIBILITY_SECONDS,
    s3Origin: s3OriginOf(values),
  };
}

/** An emulator takes any region; AWS's own queues name theirs. */
function regionOf({
  SQS_REGION: region,
  SQS_ENDPOINT: endpoint,
  SQS_QUEUE_URLS: urls,
}: Values): string | undefined {
  if (region !== '') return region;
  for (const url of urls) {
    const named = /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\./.exec(url)?.[1];
    if (named !== undefined) return named;
  }
  return endpoint === undefined ? undefined : 'us-east-1';
}

function credentialsOf(
  { SQS_ACCESS_KEY_ID: accessKeyId, SQS_SECRET_ACCESS_KEY: secretAccessKey }: Values,
  reading: Reading,
): SqsConfig['credentials'] {
  if ((accessKeyId === '') !== (secretAccessKey === '')) {
    reading.problem(
      'SQS_ACCESS_KEY_ID, SQS_SECRET_ACCESS_KEY: must both be set, or both be empty for a role or a profile',
    );
  }
  return accessKeyId === '' ? undefined : { accessKeyId, secretAccessKey };
}

function checkNames(values: Values, reading: Reading): void {
  for (const url of values.SQS_QUEUE_URLS) {
    if (httpUrl.parse(url) === undefined || !QUEUE_NAME.test(url.slice(url.lastIndexOf('/') + 1))) {
      reading.problem(
        'SQS_QUEUE_URLS: must be addresses of queues, such as https://sqs.us-east-1.amazonaws.com/123456789012/name.fifo',
      );
    }
  }
  for (const template of values.SQS_QUEUE_TEMPLATES) {
    const name = template.replace('{event}', 'e').replace('{instance}', 'i');
    if (!template.includes('{event}') || !QUEUE_NAME.test(name)) {
      reading.problem(
        `SQS_QUEUE_TEMPLATES: ${JSON.stringify(template)} must be a queue's name with {event} and {instance} in it`,
      );
    }
  }
  if (!QUEUE_NAME.test(`${values.SQS_GLOBAL_PREFIX_NAME}_call.fifo`)) {
    reading.problem(
      'SQS_GLOBAL_PREFIX_NAME: must be letters, digits, hyphens and underscores, so few that a queue can be named so',
    );
  }
  if (!/^(\d{12})?$/.test(values.SQS_ACCOUNT_ID)) {
    reading.problem('SQS_ACCOUNT_ID: must be the 12 digits of an AWS account');
  }
}

/** The core API's own `.env` may have one that is of no use to it either, so that this is a warning. */
function checkS3(values: Values, reading: Reading): void {
  const { S3_ENDPOINT: endpoint } = values;
  if (endpoint === '' || (s3OriginOf(values) !== undefined && !hasImpossiblePort(endpoint))) return;
  reading.warn(
    `S3_ENDPOINT: must be a host or an address, such as s3.example.com or https://s3.example.com:9000, with ${POSSIBLE_PORT}: events too large for SQS cannot be fetched`,
  );
}

/**
 * The core API takes a host name for S3_ENDPOINT, and its port and scheme from two other variables, with MinIO's
 * defaults; some write a whole address, or a port after the name.
 */
function s3OriginOf({
  S3_ENDPOINT: endpoint,
  S3_PORT: port,
  S3_USE_SSL: isSecure,
}: Values): string | undefined {
  if (endpoint === '') return undefined;
  const hasScheme = endpoint.includes('://');
  const url = parseUrl(hasScheme ? endpoint : `http://${endpoint}`);
  if (url === undefined) return undefined;
  // Empty also where it is the scheme's own: `:80` after a bare name means http.
  const written = /:(\d+)\/?$/.exec(endpoint)?.[1];
  const usual = hasScheme ? undefined : S3_PORT;
  const chosen = written ?? port ?? usual;
  const scheme = hasScheme ? url.protocol : schemeOf(isSecure, Number(chosen));
  return parseUrl(`${scheme}//${url.hostname}${chosen === undefined ? '' : `:${chosen}`}`)?.origin;
}

function schemeOf(isSecure: boolean | undefined, port: number): 'http:' | 'https:' {
  return (isSecure ?? port === HTTPS_PORT) ? 'https:' : 'http:';
}
