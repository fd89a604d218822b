import { integer } from './formats';
import { type ValuesOf, type Variables, variable } from './variable';

/** They are named after what was the only thing behind links once. */
export const REFERENCE_VARIABLES = {
  PUSHER_REFERENCE_TTL_SECONDS: variable(
    integer(1, 31_536_000),
    86_400,
    'Seconds that the link to an event too large for Pusher, or to media (normalise.media), works.',
  ),
  PUSHER_REFERENCE_MAX_BYTES: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'Bytes of Redis for the events and media behind links. The oldest of the instance that holds most are removed first.',
  ),
} as const satisfies Variables;

export interface ReferenceConfig {
  readonly ttlSeconds: number;
  readonly maxBytes: number;
  /** Public address of the gateway. */
  readonly baseUrl: string | undefined;
}

export function referencesOf(
  values: ValuesOf<typeof REFERENCE_VARIABLES>,
  baseUrl: string | undefined,
): ReferenceConfig {
  return {
    ttlSeconds: values.PUSHER_REFERENCE_TTL_SECONDS,
    maxBytes: values.PUSHER_REFERENCE_MAX_BYTES,
    baseUrl,
  };
}
