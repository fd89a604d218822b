import { errorCode } from '../../errors';

/**
 * What a failed call means for what it was about: the queue does not exist (any more); the service does not let us;
 * too many calls; the service has a fault of its own; or it cannot be reached.
 */
export type Trouble = 'gone' | 'refused' | 'throttled' | 'failing' | 'away';

/** Names of the SDK's errors are AWS's stable codes; both protocols that SQS has spoken are listed. */
const KINDS: ReadonlyMap<string, Trouble> = new Map([
  ['QueueDoesNotExist', 'gone'],
  ['QueueDeletedRecently', 'gone'],
  ['AWS.SimpleQueueService.NonExistentQueue', 'gone'],
  ['InvalidAddress', 'gone'],
  ['AccessDenied', 'refused'],
  ['AccessDeniedException', 'refused'],
  ['KmsAccessDenied', 'refused'],
  ['InvalidSecurity', 'refused'],
  ['InvalidClientTokenId', 'refused'],
  ['UnrecognizedClientException', 'refused'],
  ['SignatureDoesNotMatch', 'refused'],
  ['InvalidSignatureException', 'refused'],
  ['MissingAuthenticationToken', 'refused'],
  ['ExpiredToken', 'refused'],
  ['ExpiredTokenException', 'refused'],
  ['CredentialsProviderError', 'refused'],
  ['OptInRequired', 'refused'],
  ['RequestThrottled', 'throttled'],
  ['KmsThrottled', 'throttled'],
  ['Throttling', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['TooManyRequestsException', 'throttled'],
  ['OverLimit', 'throttled'],
]);

export function troubleOf(error: unknown): Trouble {
  const known = KINDS.get(errorCode(error));
  if (known !== undefined) return known;
  const status = statusOf(error);
  if (status === undefined) return 'away';
  return status < 500 ? 'refused' : 'failing';
}

/** Whether the service does not know the relay at all, as opposed to a permission that is missing. */
export function isAboutCredentials(code: string): boolean {
  return KINDS.get(code) === 'refused' && !code.includes('AccessDenied');
}

/** Whether the trouble is one queue's, as opposed to the service's. */
export function isOfQueue(trouble: Trouble): boolean {
  return trouble === 'gone' || trouble === 'refused';
}

/** Status of the answer that the SDK made an error of; undefined where there was none. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  const { httpStatusCode } = metadata;
  return typeof httpStatusCode === 'number' && httpStatusCode >= 400 ? httpStatusCode : undefined;
}
