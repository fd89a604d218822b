import type { DestinationModule } from './destinations/module';
import { pusherModule } from './destinations/pusher/pusher-module';
import { webhookModule } from './destinations/webhook/webhook-module';
import { websocketModule } from './destinations/websocket/websocket-module';
import { Sections } from './settings/sections';
import { rabbitMqModule } from './sources/rabbitmq/rabbitmq-module';
import type { SourceModule } from './sources/source-module';
import { sqsModule } from './sources/sqs/sqs-module';

/** Everything that events can come from and go to. One line here, and a folder of its own, is what each needs. */
export const DESTINATIONS: readonly DestinationModule[] = [webhookModule, pusherModule, websocketModule];
export const SOURCES: readonly SourceModule[] = [rabbitMqModule, sqsModule];

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
