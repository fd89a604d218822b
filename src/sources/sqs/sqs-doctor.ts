import { errorCode, explainError } from '../../errors';
import type { EventFilter } from '../../events/filter';
import type { Finding } from '../../observability/finding';
import { counted } from '../../plural';
import type { SqsApi, SqsConnection } from './api';
import type { ClaimDownloader } from './claim-check';
import { type Found, findQueues } from './discovery';
import { nameOfQueue } from './queue-names';
import type { RegistryOptions } from './registry';
import { connectSqs } from './sdk-api';
import { isAboutCredentials, troubleOf } from './trouble';
import { WantedQueues } from './wanted-queues';

export interface SqsInspectOptions extends Omit<RegistryOptions, 'discoveryMs'> {
  readonly connection: SqsConnection;
  /** Instances whose own queues are consumed, with the events that they want. */
  readonly instances: ReadonlyMap<string, EventFilter>;
  /** Where events too large for SQS are fetched; undefined: anywhere. */
  readonly s3Origin?: string | undefined;
  readonly downloader?: ClaimDownloader | undefined;
}

const PART = 'sqs';

/** Whether it saw a dead-letter queue. */
type Check = (api: SqsApi, queueUrl: string) => Promise<boolean>;

/** Queues that are looked at one by one: permissions are the same for the others, or nearly always. */
const MAX_QUEUES = 10;
/** Hides nothing, but counts as one receipt of a message that waits. */
const ONE_SHOWN = { max: 1, waitSeconds: 0, visibilitySeconds: 0 };
/** Deletes nothing. SQS refuses either the receipt (the permission is there) or the call (it is missing). */
const NO_RECEIPT = ['AQEBnosuchreceipt'];

/** By the permission that each needs. */
const CHECKS: readonly (readonly [permission: string, check: Check])[] = [
  ['sqs:GetQueueAttributes', async (api, url) => (await api.attributes(url)).hasDeadLetterQueue],
  ['sqs:ReceiveMessage', async (api, url) => api.receive(url, ONE_SHOWN).then(() => false)],
  ['sqs:DeleteMessage', async (api, url) => api.remove(url, NO_RECEIPT).then(() => false)],
  [
    'sqs:ChangeMessageVisibility',
    async (api, url) => api.setVisibility(url, NO_RECEIPT, 0).then(() => false),
  ],
];

/**
 * Whether SQS can be reached, which queues there are, which permission is missing at each, and whether S3 answers.
 * Never rejects.
 */
export async function inspectSqs(options: SqsInspectOptions): Promise<Finding[]> {
  const api = await connectSqs(options.connection);
  try {
    const [{ urls, findings }, s3] = await Promise.all([inspectNames(api, options), inspectS3(options)]);
    const checked = await Promise.all(urls.slice(0, MAX_QUEUES).map((url) => inspectQueue(api, url)));
    return [...findings, ...checked.flat(), ...s3];
  } finally {
    api.close();
  }
}

function about(state: Finding['state'], detail: string): Finding {
  return { part: PART, check: 'queues', state, detail };
}

async function inspectNames(
  api: SqsApi,
  { queueUrls, templates, global, accountId, instances }: SqsInspectOptions,
): Promise<{ urls: readonly string[]; findings: readonly Finding[] }> {
  const wanted = new WantedQueues({ templates, global });
  const impossible = [...instances].filter(([instance, events]) => !wanted.want(instance, events));
  const names = inspectInstances(impossible.map(([instance]) => instance));
  if (wanted.isEmpty && queueUrls.length > 0) return { urls: queueUrls, findings: names };
  const found = await findQueues({ api, wanted, accountId, before: [] });
  const urls = [...new Set([...queueUrls, ...found.queues.map(({ url }) => url)])];
  return { urls, findings: [...inspectFound(found, urls.length, accountId), ...names] };
}

function inspectFound(
  { queues, otherAccounts, failures, isCut }: Found,
  count: number,
  accountId: string,
): Finding[] {
  const others = otherAccounts.map((account) =>
    about('trouble', `queues of account ${account} are left alone: SQS_ACCOUNT_ID names ${accountId}`),
  );
  const refused = failures.map(({ prefix, error }) => {
    const which = prefix === '' ? '' : `queues named ${prefix}…: `;
    return about('trouble', which + explain(error, 'sqs:ListQueues'));
  });
  const cut = isCut ? [about('trouble', 'there are more queues than one worker consumes')] : [];
  const findings = [...others, ...refused, ...cut];
  // Whether there are any is not known where no list was given.
  if (queues.length === 0 && refused.length > 0) return findings;
  const none =
    'no queue was found: set SQS_GLOBAL_ENABLED, settings of instances (sqs.enabled) or SQS_QUEUE_URLS';
  return [...findings, count > 0 ? about('ok', consumed(count)) : about('trouble', none)];
}

function consumed(count: number): string {
  return `${counted(count, 'queue is', 'queues are')} consumed${count > MAX_QUEUES ? `; ${MAX_QUEUES} of them are checked` : ''}`;
}

function inspectInstances(impossible: readonly string[]): Finding[] {
  const [first] = impossible;
  if (first === undefined) return [];
  const others = impossible.length > 1 ? ` and ${impossible.length - 1} more` : '';
  const detail = `no queue can be named for the instance ${JSON.stringify(first)}${others}: a queue's name has up to 80 letters, digits, hyphens and underscores`;
  return [about('trouble', detail)];
}

/** Any answer will do: without a signature S3 gives nothing out. */
async function inspectS3({ s3Origin, downloader }: SqsInspectOptions): Promise<Finding[]> {
  if (s3Origin === undefined || downloader === undefined) return [];
  const signal = new AbortController().signal;
  const answer = await downloader.fetch(`${s3Origin}/`, { signal, admit: () => false });
  const isAway = answer.kind === 'failed';
  return [
    {
      part: PART,
      check: 's3',
      state: isAway ? 'trouble' : 'ok',
      detail: isAway
        ? `${s3Origin} does not answer (${answer.code}): events too large for SQS wait; check S3_ENDPOINT, S3_PORT and S3_USE_SSL`
        : `${s3Origin} answers`,
    },
  ];
}

async function inspectQueue(api: SqsApi, queueUrl: string): Promise<Finding[]> {
  const about = { part: PART, check: nameOfQueue(queueUrl) };
  const problems: string[] = [];
  let hasDeadLetterQueue = false;
  for (const [permission, check] of CHECKS) {
    try {
      hasDeadLetterQueue = (await check(api, queueUrl)) || hasDeadLetterQueue;
    } catch (error) {
      problems.push(explain(error, permission));
      // Neither is different for the next permission.
      if (troubleOf(error) === 'gone' || troubleOf(error) === 'away') break;
    }
  }
  if (problems.length > 0) return problems.map((detail) => ({ ...about, state: 'trouble', detail }));
  if (hasDeadLetterQueue)
    return [{ ...about, state: 'ok', detail: 'all permissions, and a dead-letter queue' }];
  const detail =
    'all permissions; no dead-letter queue: give it a redrive policy with a maxReceiveCount of 100 (docs/sqs.md)';
  return [{ ...about, state: 'note', detail }];
}

function explain(error: unknown, permission: string): string {
  const code = errorCode(error);
  switch (troubleOf(error)) {
    case 'gone':
      return `it does not exist (${code}): check its address and SQS_REGION`;
    case 'failing':
      return `the service has a fault (${explainError(error)})`;
    case 'throttled':
      return `too many calls at the moment (${code})`;
    case 'refused':
      return explainRefusal(error, permission);
    case 'away':
      return `it cannot be reached (${explainError(error)}): check SQS_ENDPOINT, SQS_REGION and the network`;
  }
}

function explainRefusal(error: unknown, permission: string): string {
  const code = errorCode(error);
  if (isAboutCredentials(code)) {
    return `the credentials are refused (${code}): check SQS_ACCESS_KEY_ID and SQS_SECRET_ACCESS_KEY, or the role`;
  }
  if (!code.includes('AccessDenied')) return `the service does not take the call (${explainError(error)})`;
  return `${code === 'KmsAccessDenied' ? 'kms:Decrypt' : permission} is missing: see deploy/aws/policy.json`;
}
