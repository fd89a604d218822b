import { errorCode } from '../../errors';

/**
 * What a failed call means for the queue that it was about: the queue does not exist (any more); we may not; too many
 * calls; or the service cannot be reached.
 */
export type Trouble = 'gone' | 'refused' | 'throttled' | 'away';

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
  return KINDS.get(errorCode(error)) ?? 'away';
}
