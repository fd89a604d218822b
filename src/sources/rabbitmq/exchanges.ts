import type { Config } from '../../config/config';
import { knownFilterOf } from '../../settings/document';
import type { Settings } from '../../settings/section';
import { rabbitMqConfig } from './rabbitmq-config';
import { rabbitMqSection } from './rabbitmq-section';
import type { ConsumedExchange, TopologyOptions } from './topology';

/** An instance's own exchange has its name. */
export function exchangeOf(instance: string, settings: Settings | undefined): ConsumedExchange | undefined {
  const rabbitmq = rabbitMqSection.of(settings);
  if (rabbitmq?.enabled !== true) return undefined;
  return { name: instance, instance, events: knownFilterOf(rabbitmq.events) };
}

/** The operator's own. */
export function globalExchanges(config: Config): ConsumedExchange[] {
  const { global, exchange, events, furtherExchanges } = rabbitMqConfig.of(config);
  const isFurther = furtherExchanges.includes(exchange);
  return [
    ...(global && !isFurther ? [{ name: exchange, events }] : []),
    ...furtherExchanges.map((name): ConsumedExchange => ({ name, events: 'all', isFurther: true })),
  ];
}

/** Those of the operator, and those of the instances whose settings say so. */
export function consumedExchanges(
  config: Config,
  settings: ReadonlyMap<string, Settings>,
): ConsumedExchange[] {
  const own = [...settings].flatMap(([instance, each]) => exchangeOf(instance, each) ?? []);
  return [...globalExchanges(config), ...own];
}

export function topologyOf(config: Config): TopologyOptions {
  const { consume: mode, queue, prefixKey, exchange, furtherExchanges } = rabbitMqConfig.of(config);
  return {
    mode,
    queue,
    prefixKey,
    reserved: [exchange, ...furtherExchanges],
    hasFurther: furtherExchanges.length > 0,
  };
}
