import { z } from 'zod';

/** Fields that sections of destinations have in common: how events are delivered, whatever the kind. */

/** No operator's limit is higher. */
export const MAX_CONCURRENCY = 100_000;

export const deliveryFields = {
  concurrency: z
    .int()
    .min(1)
    .max(MAX_CONCURRENCY)
    .optional()
    .describe('requests at once by each worker, no more than the operator’s limit'),
};

const allFields = z.object(deliveryFields);

/** Of one destination, as they were set. */
export type DeliverySettings = z.output<typeof allFields>;
