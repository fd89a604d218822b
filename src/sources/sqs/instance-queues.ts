import type { EventFilter } from '../../events/filter';
import { filterOf } from '../../settings/document';
import type { Settings } from '../../settings/section';
import { sqsSection } from './sqs-section';

/** Which events an instance's own SQS queues are consumed for; undefined: they are not. */
export function queuesOf(settings: Settings | undefined): EventFilter | undefined {
  const sqs = sqsSection.of(settings);
  return sqs?.enabled === true ? filterOf(sqs.events) : undefined;
}

/** The instances whose settings say that their queues are consumed. */
export function consumedQueues(settings: ReadonlyMap<string, Settings>): Map<string, EventFilter> {
  const wanted = new Map<string, EventFilter>();
  for (const [instance, each] of settings) {
    const events = queuesOf(each);
    if (events !== undefined) wanted.set(instance, events);
  }
  return wanted;
}
