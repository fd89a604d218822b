import type { Config } from '../../config/config';
import { knownFilterOf } from '../../settings/document';
import type { Settings } from '../../settings/schema';
import type { ConsumedExchange } from './topology';

/** An instance's own exchange has its name (contract B.3). */
export function exchangeOf(instance: string, settings: Settings | undefined): ConsumedExchange | undefined {
  const { rabbitmq } = settings ?? {};
  if (rabbitmq?.enabled !== true) return undefined;
  return { name: instance, instance, events: knownFilterOf(rabbitmq.events) };
}

/** The global exchange, and those of the instances whose settings say so. */
export function consumedExchanges(
  { rabbitmq }: Config,
  settings: ReadonlyMap<string, Settings>,
): ConsumedExchange[] {
  const own = [...settings].flatMap(([instance, each]) => exchangeOf(instance, each) ?? []);
  return rabbitmq.global ? [{ name: rabbitmq.exchange, events: rabbitmq.events }, ...own] : own;
}
