import { z } from 'zod';
import { SUPERSEDABLE_EVENTS, supersedableKey } from '../events/supersedable';
import { shapedLike } from './own-words';

/** Fields that sections of destinations have in common: how events are delivered, whatever the kind. */

/** No operator's limit is higher. */
export const MAX_CONCURRENCY = 100_000;

const rateLimit = z.strictObject(
  {
    count: z.int().min(1).max(1_000_000),
    seconds: z.int().min(1).max(86_400),
  },
  shapedLike('an object, such as {"count": 100, "seconds": 60}'),
);

const coalesce = z.strictObject(
  {
    events: z
      .array(
        z
          .string()
          .refine(
            (name) => supersedableKey(name) !== undefined,
            `must be one of ${SUPERSEDABLE_EVENTS.join(', ')}: others say what happened, and none of them replaces another`,
          ),
        shapedLike('a list, such as ["PRESENCE_UPDATE"]'),
      )
      .min(1)
      .max(20),
    seconds: z.int().min(1).max(3600),
  },
  shapedLike('an object, such as {"events": ["PRESENCE_UPDATE"], "seconds": 10}'),
);

/** What has an order of its own: all events of an instance, or those of each chat. */
export const ORDERED = ['instance', 'chat'] as const;

export const deliveryFields = {
  concurrency: z
    .int()
    .min(1)
    .max(MAX_CONCURRENCY)
    .optional()
    .describe('requests at once by each worker, no more than the operator’s limit'),
  rateLimit: rateLimit
    .optional()
    .describe('no more attempts than `count` in any `seconds`, by all workers together, retries included'),
  coalesce: coalesce
    .optional()
    .describe(
      'a newer event of the same chat within `seconds` replaces one of these `events` that still waits',
    ),
  ordered: z
    .enum(ORDERED)
    .optional()
    .describe(
      'events arrive in their order, those of each chat or all together; one that fails holds up what follows it',
    ),
};

const allFields = z.object(deliveryFields);

/** Of one destination, as they were set. */
export type DeliverySettings = z.output<typeof allFields>;
