import type { Config } from './config/config';
import { envExample } from './config/describe';
import { goNamesOf, type Loaded, loadConfig, platformNamesOf, variablesOf } from './config/load';
import type { ConfigPart } from './config/part';
import type { Variables } from './config/variable';
import { ConsumedEvents } from './consumed-events';
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
  /** What may be configured. */
  readonly configParts: readonly ConfigPart[];
  readonly consumedEvents: ConsumedEvents;

  constructor(
    readonly destinations: readonly DestinationModule[],
    readonly sources: readonly SourceModule[],
  ) {
    this.sections = new Sections([...destinations, ...sources].flatMap(({ section }) => section ?? []));
    this.configParts = [...sources, ...destinations].flatMap(({ config }) => config ?? []);
    this.consumedEvents = new ConsumedEvents(destinations, sources);
  }

  /** Every variable, in the order in which they are shown. */
  get variables(): Variables {
    return variablesOf(this.configParts);
  }

  /** Names of evolution-go that count only beside its `GLOBAL_API_KEY`, each with the variable that it stands for. */
  get goNames(): Readonly<Record<string, string>> {
    return goNamesOf(this.configParts);
  }

  /** Names that hosting platforms set, each with the variable that it stands for. */
  get platformNames(): Readonly<Record<string, string>> {
    return platformNamesOf(this.configParts);
  }

  /** @throws ConfigError naming every wrong variable at once */
  loadConfig(directory: string, environment: NodeJS.ProcessEnv): Loaded {
    const loaded = loadConfig(this.configParts, { directory, environment });
    return { ...loaded, notes: [...loaded.notes, ...this.consumedEvents.switchedInVain(loaded.config)] };
  }

  /** What an operator should know where nothing is configured for the events of all instances; undefined where something is. */
  withoutGlobal(config: Config): string | undefined {
    const globals = this.destinations.flatMap(({ global }) => global ?? []);
    if (globals.some((global) => global.isSet(config))) return undefined;
    const names = globals.map(({ name }) => name).join(' nor ');
    return `neither ${names} is set: events of instances without a destination of their own go nowhere and are dropped`;
  }

  /** A commented `.env` with every variable at its default. */
  envExample(): string {
    return envExample(this.configParts);
  }
}

export const MODULES = new Modules(DESTINATIONS, SOURCES);
