import type { Finding } from '../../observability/finding';
import type { OpenSource, SourceContext, SourceInspection, SourceModule } from '../source-module';
import { consumedExchanges, exchangeOf, globalExchanges, topologyOf } from './exchanges';
import { rabbitMqConfig } from './rabbitmq-config';
import { rabbitMqSection } from './rabbitmq-section';
import { RabbitMqSource } from './rabbitmq-source';

const KIND = 'rabbitmq';

export const rabbitMqModule: SourceModule = {
  kind: KIND,
  config: rabbitMqConfig,
  section: rabbitMqSection,
  switchedOnBy: 'RABBITMQ_ENABLED: must be true, with RABBITMQ_URI set',
  mostHeld: (config) => rabbitMqConfig.of(config).prefetch,
  isEnabled: (config) => rabbitMqConfig.of(config).enabled,
  open,
  inspect,
};

function open({ config, maxBytes, log }: SourceContext): OpenSource {
  const { uri, frameMax, prefetch, listedQueues: queues } = rabbitMqConfig.of(config);
  const exchanges = globalExchanges(config);
  const topology = topologyOf(config);
  const source = new RabbitMqSource({ uri, frameMax, prefetch, maxBytes, exchanges, queues, topology, log });
  return {
    source,
    ownName: 'the exchange',
    follow: (instance, settings) => {
      const exchange = exchangeOf(instance, settings);
      if (exchange === undefined) source.dropExchange(instance);
      else source.consumeExchange(exchange);
      return exchange !== undefined;
    },
    ...(topology.mode === 'dedicated' ? { secondCopies: source.ordered } : {}),
    depths: () => source.depths(),
    close: () => source.close(),
  };
}

async function inspect({ config, settings }: SourceInspection): Promise<Finding[]> {
  const { enabled, uri, frameMax, listedQueues: queues } = rabbitMqConfig.of(config);
  if (!enabled)
    return [{ part: KIND, check: 'connection', state: 'note', detail: 'RABBITMQ_URI is not set' }];
  const { inspectRabbitMq } = await import('./rabbitmq-doctor.js');
  const exchanges = consumedExchanges(config, settings);
  return inspectRabbitMq({ uri, frameMax, exchanges, queues, topology: topologyOf(config) });
}
