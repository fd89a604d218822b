import { z } from 'zod';

/** Fields that sections of destinations have in common: how events are delivered, whatever the kind. */

/** No operator's limit is higher. */
export const MAX_CONCURRENCY = 100_000;

/** What has an order of its own: all events of an instance, or those of each chat. */
export const ORDERED = ['instance', 'chat'] as const;

export const deliveryFields = {
  concurrency: z
    .int()
    .min(1)
    .max(MAX_CONCURRENCY)
    .optional()
    .describe('requests at once by each worker, no more than the operator’s limit'),
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
