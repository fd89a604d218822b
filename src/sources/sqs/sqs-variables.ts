import { flag, httpUrl, integer, list, number, optional, text } from '../../config/formats';
import { secret, variable } from '../../config/variable';

/** Variables of Amazon SQS, and of the S3 that holds what is too large for it. */
export const SQS_VARIABLES = {
  SQS_ENABLED: variable(optional(flag), undefined, 'Consume from SQS. Unset: yes if SQS_QUEUE_URLS is set.'),
  SQS_ACCESS_KEY_ID: secret(
    text,
    '',
    "AWS access key. Empty: the AWS SDK's default chain (roles, profiles).",
  ),
  SQS_SECRET_ACCESS_KEY: secret(text, '', 'Secret that belongs to SQS_ACCESS_KEY_ID.'),
  SQS_ACCOUNT_ID: variable(
    text,
    '',
    'Account whose queues are consumed; those of other accounts are left alone. Empty: any account.',
  ),
  SQS_REGION: variable(
    text,
    '',
    'AWS region, such as us-east-1. Empty: that of SQS_QUEUE_URLS, of AWS_REGION or of the profile.',
  ),
  SQS_ENDPOINT: variable(optional(httpUrl), undefined, 'Address of a VPC endpoint or of an emulator of SQS.'),
  SQS_QUEUE_URLS: variable(list, [], 'Addresses of SQS queues to consume, under any name.'),
  SQS_QUEUE_TEMPLATES: variable(
    list,
    ['{instance}-{event}', '{instance}_{event}.fifo'],
    "Names of the SQS queues of instances that have SQS set. In the event's name dots, hyphens and underscores mean the same.",
  ),
  SQS_GLOBAL_ENABLED: variable(flag, false, "Consume the core API's global SQS queues."),
  SQS_GLOBAL_FORCE_SINGLE_QUEUE: variable(
    flag,
    false,
    'All global events come in one SQS queue, {prefix}_singlequeue.fifo.',
  ),
  SQS_GLOBAL_PREFIX_NAME: variable(text, 'global', 'Prefix of the global SQS queues, {prefix}_{event}.fifo.'),
  SQS_DISCOVERY_SECONDS: variable(number(1, 86_400), 60, 'Seconds between two searches for new SQS queues.'),
  SQS_PREFETCH: variable(integer(1, 10_000), 250, 'Messages of SQS that a worker holds at once.'),
  SQS_WAIT_SECONDS: variable(
    integer(0, 20),
    10,
    'Long polling of SQS, in seconds. Longer polls mean fewer calls, and a shutdown that takes as much longer.',
  ),
  SQS_VISIBILITY_SECONDS: variable(
    integer(2, 43_200),
    30,
    'Seconds after which the SQS messages of a killed worker come again. Extended while they are worked on.',
  ),
  S3_ENDPOINT: variable(
    text,
    '',
    "Host or address of the core API's S3, from which events too large for SQS are fetched. It may be private.",
  ),
  S3_PORT: variable(
    optional(integer(1, 65_535)),
    undefined,
    "Port of S3_ENDPOINT. Unset: 9000 for a bare host, as in the core API, otherwise the address's own.",
  ),
  S3_USE_SSL: variable(
    optional(flag),
    undefined,
    'Whether S3_ENDPOINT speaks https. Unset: what its address says, and yes for S3_PORT 443.',
  ),
};
