import type { Config } from '../../config/config';
import { OF_INSTANCES_ONLY } from '../../events/catalogue';
import type { EventFilter } from '../../events/filter';
import type { Finding } from '../../observability/finding';
import type { OpenSource, SourceContext, SourceInspection, SourceModule } from '../source-module';
import { consumedExchanges, exchangeOf, globalExchanges, topologyOf } from './exchanges';
import { type RabbitMqConfig, rabbitMqConfig } from './rabbitmq-config';
import { rabbitMqSection } from './rabbitmq-section';
import { RabbitMqSource } from './rabbitmq-source';
import type { ConsumedExchange } from './topology';

const KIND = 'rabbitmq';

export const rabbitMqModule: SourceModule = {
  kind: KIND,
  config: rabbitMqConfig,
  section: rabbitMqSection,
  switchedOnBy: 'RABBITMQ_ENABLED: must be true, with RABBITMQ_URI set',
  mostHeld: (config) => rabbitMqConfig.of(config).prefetch,
  isEnabled: (config) => rabbitMqConfig.of(config).enabled,
  globalEvents: (config) => globalEventsOf(rabbitMqConfig.of(config)),
  open,
  inspect,
};

/** What is in listed queues and further exchanges is consumed as it is. */
function globalEventsOf(config: RabbitMqConfig): EventFilter | undefined {
  const { enabled, global, furtherExchanges, listedQueues, events } = config;
  if (!enabled) return undefined;
  if (furtherExchanges.length > 0 || listedQueues.length > 0) return 'all';
  return global ? events : undefined;
}

function open({ config, maxBytes, notes: notesOf, log }: SourceContext): OpenSource {
  const { uri, frameMax, prefetch, listedQueues: queues } = rabbitMqConfig.of(config);
  const exchanges = globalExchanges(config);
  const topology = topologyOf(config);
  const notes = notesOf(`${KIND}:${topology.queue}`);
  const source = new RabbitMqSource({
    ...{ uri, frameMax, prefetch, maxBytes },
    ...{ exchanges, queues, topology, notes, log },
  });
  return {
    source,
    ownName: 'the exchange',
    follow: (instance, settings) => {
      const exchange = exchangeOf(instance, settings);
      if (exchange === undefined) source.dropExchange(instance);
      else source.consumeExchange(exchange);
      return exchange !== undefined;
    },
    notedInstances: () => source.notedInstances(),
    ...(topology.mode === 'dedicated' ? { secondCopies: source.ordered } : {}),
    depths: () => source.depths(),
    close: () => source.close(),
  };
}

async function inspect({ config, settings }: SourceInspection): Promise<Finding[]> {
  const { enabled, uri, frameMax, listedQueues: queues } = rabbitMqConfig.of(config);
  if (!enabled) {
    const detail = uri === '' ? 'RABBITMQ_URI is not set' : 'RABBITMQ_ENABLED is false';
    return [
      { part: KIND, check: 'connection', state: 'note', detail: `${detail}: RabbitMQ is not consumed` },
    ];
  }
  const { inspectRabbitMq } = await import('./rabbitmq-doctor.js');
  const exchanges = consumedExchanges(config, settings);
  const findings = await inspectRabbitMq({ uri, frameMax, exchanges, queues, topology: topologyOf(config) });
  return [...findings, ...inspectEvents(config, exchanges)];
}

function inspectEvents(config: Config, exchanges: readonly ConsumedExchange[]): Finding[] {
  const { global, listedQueues } = rabbitMqConfig.of(config);
  const events = (state: Finding['state'], detail: string): Finding => ({
    part: KIND,
    check: 'events',
    state,
    detail,
  });
  if (exchanges.length === 0 && listedQueues.length === 0)
    return [
      events(
        'trouble',
        'nothing is consumed: RABBITMQ_GLOBAL_ENABLED is not true, and no instance has its own exchange consumed (POST /rabbitmq/set/…)',
      ),
    ];
  if (!global || exchanges.some(({ instance }) => instance !== undefined)) return [];
  return [
    events(
      'note',
      `${OF_INSTANCES_ONLY.join(', ')} have no global switch in the core API: they come by an instance's own exchange only (POST /rabbitmq/set/… there and here)`,
    ),
  ];
}
