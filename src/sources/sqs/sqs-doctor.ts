import { errorCode, explainError } from '../../errors';
import type { EventFilter } from '../../events/filter';
import type { Finding } from '../../observability/finding';
import { connectSqs, type SqsApi, type SqsConnection } from './api';
import { findQueues } from './discovery';
import { nameOfQueue, queuesOfAll, queuesOfInstance } from './queue-names';
import type { RegistryOptions } from './registry';
import { troubleOf } from './trouble';

export interface SqsInspectOptions extends Omit<RegistryOptions, 'discoveryMs'> {
  readonly connection: SqsConnection;
  /** Instances whose own queues are consumed, with the events that they want. */
  readonly instances: ReadonlyMap<string, EventFilter>;
}

const PART = 'sqs';

/** Whether it saw a dead-letter queue. */
type Look = (api: SqsApi, queueUrl: string) => Promise<boolean>;

/** Queues that are looked at one by one: permissions are the same for the others, or nearly always. */
const MAX_QUEUES = 10;
/** Hides nothing, but counts as one receipt of a message that waits. */
const ONE_SHOWN = { max: 1, waitSeconds: 0, visibilitySeconds: 0 };
/** Deletes nothing and changes nothing; whether it is refused as a receipt or as a call tells the permission. */
const NO_RECEIPT = ['AQEBnosuchreceipt'];

/** By the permission that each needs. */
const LOOKS: readonly (readonly [permission: string, look: Look])[] = [
  ['sqs:GetQueueAttributes', async (api, url) => (await api.attributes(url)).hasDeadLetterQueue],
  ['sqs:ReceiveMessage', async (api, url) => api.receive(url, ONE_SHOWN).then(() => false)],
  ['sqs:DeleteMessage', async (api, url) => api.remove(url, NO_RECEIPT).then(() => false)],
  [
    'sqs:ChangeMessageVisibility',
    async (api, url) => api.setVisibility(url, NO_RECEIPT, 0).then(() => false),
  ],
];

/** Whether SQS can be reached, which queues there are, and which permission is missing at each. Never rejects. */
export async function inspectSqs(options: SqsInspectOptions): Promise<Finding[]> {
  const api = await connectSqs(options.connection);
  try {
    const { urls, findings } = await inspectNames(api, options);
    const looked = await Promise.all(urls.slice(0, MAX_QUEUES).map((url) => inspectQueue(api, url)));
    return [...findings, ...looked.flat()];
  } finally {
    api.close();
  }
}

async function inspectNames(
  api: SqsApi,
  { queueUrls, templates, global, accountId, instances }: SqsInspectOptions,
): Promise<{ urls: readonly string[]; findings: readonly Finding[] }> {
  const own = [...instances].flatMap(([instance, events]) => queuesOfInstance(templates, instance, events));
  const wanted = [...queuesOfAll(templates, global), ...own];
  const about = (state: Finding['state'], detail: string): Finding => ({
    part: PART,
    check: 'queues',
    state,
    detail,
  });
  if (wanted.length === 0 && queueUrls.length > 0) return { urls: queueUrls, findings: [] };
  try {
    const { queues, otherAccounts } = await findQueues(api, wanted, accountId);
    const urls = [...new Set([...queueUrls, ...queues.map(({ url }) => url)])];
    const findings = otherAccounts.map((account) =>
      about('trouble', `queues of account ${account} are left alone: SQS_ACCOUNT_ID names ${accountId}`),
    );
    const count = about('ok', `${urls.length} queue(s) are consumed`);
    const none = about(
      'trouble',
      'no queue was found: set SQS_GLOBAL_ENABLED, settings of instances (sqs.enabled) or SQS_QUEUE_URLS',
    );
    return { urls, findings: [...findings, urls.length > 0 ? count : none] };
  } catch (error) {
    return { urls: queueUrls, findings: [about('trouble', explain(error, 'sqs:ListQueues'))] };
  }
}

async function inspectQueue(api: SqsApi, queueUrl: string): Promise<Finding[]> {
  const about = { part: PART, check: nameOfQueue(queueUrl) };
  const problems: string[] = [];
  let hasDeadLetterQueue = false;
  for (const [permission, look] of LOOKS) {
    try {
      hasDeadLetterQueue = (await look(api, queueUrl)) || hasDeadLetterQueue;
    } catch (error) {
      problems.push(explain(error, permission));
      // Neither is different at the next look.
      if (troubleOf(error) === 'gone' || troubleOf(error) === 'away') break;
    }
  }
  if (problems.length > 0) return problems.map((detail) => ({ ...about, state: 'trouble', detail }));
  if (hasDeadLetterQueue)
    return [{ ...about, state: 'ok', detail: 'all permissions, and a dead-letter queue' }];
  const detail =
    'all permissions; no dead-letter queue: give it a redrive policy with a maxReceiveCount of 100 (README, SQS)';
  return [{ ...about, state: 'note', detail }];
}

function explain(error: unknown, permission: string): string {
  const code = errorCode(error);
  switch (troubleOf(error)) {
    case 'gone':
      return `it does not exist (${code}): check its address and SQS_REGION`;
    case 'throttled':
      return `too many calls at the moment (${code})`;
    case 'refused':
      return isAboutPermission(code)
        ? `${code === 'KmsAccessDenied' ? 'kms:Decrypt' : permission} is missing: see deploy/aws/policy.json`
        : `the credentials are refused (${code}): check SQS_ACCESS_KEY_ID and SQS_SECRET_ACCESS_KEY, or the role`;
    case 'away':
      return `it cannot be reached (${explainError(error)}): check SQS_ENDPOINT, SQS_REGION and the network`;
  }
}

function isAboutPermission(code: string): boolean {
  return code.includes('AccessDenied');
}
