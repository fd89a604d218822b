import type { EventFilter } from '../events/filter';
import { readEventSwitches } from './event-switches';
import { httpUrl } from './formats';
import { parseUrl } from './url';
import type { Values } from './variables';

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
  /** Host of the core API's S3, which events that were too large for SQS are fetched from. */
  readonly s3Host: string | undefined;
}

/** What the service allows in the name of a queue. */
const QUEUE_NAME = /^[A-Za-z0-9_-]{1,80}(\.fifo)?$/;

export function sqsOf(
  values: Values,
  raw: Readonly<Record<string, unknown>>,
  problems: string[],
  warnings: string[],
): SqsConfig {
  const enabled = values.SQS_ENABLED ?? values.SQS_QUEUE_URLS.length > 0;
  const events = readEventSwitches('SQS_GLOBAL_', raw, problems, warnings);
  checkNames(values, problems);
  if (enabled && values.SQS_GLOBAL_ENABLED && events !== 'all' && events.size === 0) {
    warnings.push('every SQS_GLOBAL_… says false: no global SQS queue is consumed');
  }
  return {
    enabled,
    region: regionOf(values),
    endpoint: values.SQS_ENDPOINT,
    credentials: credentialsOf(values, problems),
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
    s3Host: hostOf(values.S3_ENDPOINT),
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
  problems: string[],
): SqsConfig['credentials'] {
  if ((accessKeyId === '') !== (secretAccessKey === '')) {
    problems.push(
      'SQS_ACCESS_KEY_ID, SQS_SECRET_ACCESS_KEY: must both be set, or both be empty for a role or a profile',
    );
  }
  return accessKeyId === '' ? undefined : { accessKeyId, secretAccessKey };
}

function checkNames(values: Values, problems: string[]): void {
  for (const url of values.SQS_QUEUE_URLS) {
    if (httpUrl.parse(url) === undefined || !QUEUE_NAME.test(url.slice(url.lastIndexOf('/') + 1))) {
      problems.push(
        'SQS_QUEUE_URLS: must be addresses of queues, such as https://sqs.us-east-1.amazonaws.com/123456789012/name.fifo',
      );
    }
  }
  for (const template of values.SQS_QUEUE_TEMPLATES) {
    const name = template.replace('{event}', 'e').replace('{instance}', 'i');
    if (!template.includes('{event}') || !QUEUE_NAME.test(name)) {
      problems.push(
        `SQS_QUEUE_TEMPLATES: ${JSON.stringify(template)} must be a queue's name with {event} and {instance} in it`,
      );
    }
  }
  if (!QUEUE_NAME.test(values.SQS_GLOBAL_PREFIX_NAME)) {
    problems.push('SQS_GLOBAL_PREFIX_NAME: must be letters, digits, hyphens and underscores');
  }
  if (!/^(\d{12})?$/.test(values.SQS_ACCOUNT_ID)) {
    problems.push('SQS_ACCOUNT_ID: must be the 12 digits of an AWS account');
  }
}

/** The core API takes a host name there, some write an address. */
function hostOf(endpoint: string): string | undefined {
  if (endpoint === '') return undefined;
  const address = endpoint.includes('://') ? endpoint : `https://${endpoint}`;
  return parseUrl(address)?.hostname;
}
