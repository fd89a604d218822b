import type { Reading } from '../../config/reading';
import { CATALOGUE, spellings } from '../../events/catalogue';
import { ALL, keyNamed } from '../../events/event-names';
import { GO_CATALOGUE, GO_CATEGORIES, goQueuesOf } from '../../events/go-catalogue';
import { didYouMean } from '../../events/nearest-name';

/** A queue that is consumed as it is, because the operator says so. */
export interface ListedQueue {
  readonly name: string;
  /** evolution-go declares it: where it is missing it is made with the arguments that evolution-go asks for. */
  readonly isGo: boolean;
}

/** evolution-go's own variables. */
export interface GoQueueVariables {
  readonly AMQP_GLOBAL_ENABLED: boolean | undefined;
  readonly AMQP_GLOBAL_EVENTS: readonly string[];
  readonly AMQP_SPECIFIC_EVENTS: readonly string[];
}

/** Those of RABBITMQ_QUEUES, or evolution-go's global ones: one for each event, in lower case (docs/evolution-go.md#queues). */
export function listedQueues(
  values: GoQueueVariables & { readonly RABBITMQ_QUEUES: readonly string[] },
  reading: Reading,
): readonly ListedQueue[] {
  if (values.RABBITMQ_QUEUES.length > 0)
    return [...new Set(values.RABBITMQ_QUEUES)].map((name) => ({ name, isGo: false }));
  if (values.AMQP_GLOBAL_ENABLED === false) return [];
  const specific = values.AMQP_SPECIFIC_EVENTS.map((event) => event.toLowerCase());
  const names = specific.length > 0 ? specific : queuesOfCategories(values.AMQP_GLOBAL_EVENTS, reading);
  return [...new Set(names)].map((name) => ({ name, isGo: true }));
}

function queuesOfCategories(categories: readonly string[], reading: Reading): string[] {
  return categories.flatMap((category) => {
    const key = keyNamed(category);
    const queues = key === ALL ? GO_CATALOGUE.map(({ event }) => event.toLowerCase()) : goQueuesOf(key ?? '');
    if (queues.length === 0)
      reading.warn(
        `AMQP_GLOBAL_EVENTS: ${category} is no category of evolution-go: no queue is consumed for it${didYouMean(category, GO_CATEGORIES)}`,
      );
    return queues;
  });
}

/** Whose events a queue has, as far as its name tells: both cores name queues after events. */
export function coreByName(queue: string): string {
  const isNamedAfter = (event: string): boolean => queue === event || queue.endsWith(`.${event}`);
  if (CATALOGUE.flatMap(spellings).some(isNamedAfter)) return 'events of the core API';
  if (GO_CATALOGUE.some(({ event }) => isNamedAfter(event.toLowerCase()))) return 'events of evolution-go';
  return 'of either core: its name does not tell';
}
