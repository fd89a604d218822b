import type { DestinationModule } from './destinations/module';
import { pusherModule } from './destinations/pusher/pusher-module';
import { webhookModule } from './destinations/webhook/webhook-module';
import { websocketModule } from './destinations/websocket/websocket-module';
import type { Section } from './settings/section';
import { Sections } from './settings/sections';
import { rabbitMqSection } from './sources/rabbitmq/rabbitmq-section';
import { sqsSection } from './sources/sqs/sqs-section';

interface SourceModule {
  readonly section?: Section;
}

/** Everything that events can come from and go to. One line here, and a folder of its own, is what each needs. */
export const DESTINATIONS: readonly DestinationModule[] = [webhookModule, pusherModule, websocketModule];
export const SOURCES: readonly SourceModule[] = [{ section: rabbitMqSection }, { section: sqsSection }];

/** The modules of a relay, and what follows from them. */
export class Modules {
  /** What may be set for an instance. */
  readonly sections: Sections;

  constructor(
    readonly destinations: readonly DestinationModule[],
    readonly sources: readonly SourceModule[],
  ) {
    this.sections = new Sections([...destinations, ...sources].flatMap(({ section }) => section ?? []));
  }
}

export const MODULES = new Modules(DESTINATIONS, SOURCES);
