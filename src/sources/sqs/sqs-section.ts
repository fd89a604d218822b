import { Section } from '../../settings/section';
import { type SwitchSettings, switchFields } from '../../settings/section-fields';

/** What SQS allows in the name of a queue, which some instances' names do not keep to. */
const QUEUE_NAME = /^[A-Za-z0-9_-]{1,80}$/;
const NO_QUEUE =
  'names of queues have up to 80 letters, digits, - and _, which this instance’s name is not: no queue of it is found';

/** An instance's own SQS queues. */
export const sqsSection: Section<SwitchSettings> = new Section({
  name: 'sqs',
  fields: switchFields,
  checker: () => ({
    check: (instance, { enabled }, path) =>
      enabled && !QUEUE_NAME.test(instance) ? { warnings: [`${path}.enabled: ${NO_QUEUE}`] } : {},
  }),
  index: 'queues',
});
