import { z } from 'zod';
import { CORE_KEYS } from '../events/catalogue';
import { MAX_EVENTS } from './limits';
import { shapedLike } from './own-words';

/** Fields that sections have in common. */

export const enabledField = z.boolean().default(true).describe('false keeps everything else that is set');

/** Every name is what an empty list is answered with: given back, it means the same. Blanks at the ends of a name mean nothing. */
function asMeant(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const names = value.map((name: unknown) => (typeof name === 'string' ? name.trim() || name : name));
  return CORE_KEYS.every((key) => names.includes(key)) ? [] : names;
}

export const eventsField = z
  .preprocess(
    asMeant,
    z
      .array(
        z.string().min(1, 'must name an event, such as MESSAGES_UPSERT').max(100),
        shapedLike('a list, such as ["MESSAGES_UPSERT"]'),
      )
      .max(MAX_EVENTS),
  )
  .default([])
  .describe('names of events, such as MESSAGES_UPSERT; an empty list means every event');

/** When a section was first and last set, ISO 8601. */
export const timeFields = {
  createdAt: z.string().max(40).optional(),
  updatedAt: z.string().max(40).optional(),
};

/** Switches a part on for some events: WebSockets, the instance's own RabbitMQ exchange, its SQS queues. */
export const switchFields = z.object({ enabled: enabledField, events: eventsField, ...timeFields });

export type SwitchSettings = z.output<typeof switchFields>;
