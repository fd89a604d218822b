import type { Config } from '../config/config';
import type { SettingsCache } from '../settings/cache';
import { filterOf } from '../settings/document';
import type { Settings } from '../settings/schema';
import type { SettingsStore } from '../settings/store';
import type { RabbitMqSource } from '../sources/rabbitmq/source';
import type { ConsumedExchange } from '../sources/rabbitmq/topology';

export interface InstanceExchangesParts {
  readonly source: RabbitMqSource;
  readonly settings: SettingsCache;
  readonly store: SettingsStore;
  readonly onError: (error: unknown) => void;
}

/** Consumes the exchanges of those instances whose settings say so, as settings change. */
export class InstanceExchanges {
  /** Those whose exchange is or may be consumed. */
  private readonly names: Set<string>;

  /** @param fromStart instances of SETTINGS_FILE: the source may consume their exchanges, and Redis may say otherwise */
  constructor(
    private readonly parts: InstanceExchangesParts,
    fromStart: Iterable<string>,
  ) {
    this.names = new Set(fromStart);
  }

  /** Takes what SettingsCache tells: an instance whose settings changed, or undefined where any may have. */
  async change(instance: string | undefined): Promise<void> {
    try {
      for (const name of instance === undefined ? await this.all() : [instance]) await this.follow(name);
    } catch (error) {
      this.parts.onError(error);
    }
  }

  private async all(): Promise<Set<string>> {
    return new Set([...this.names, ...(await this.parts.store.namesWithExchange())]);
  }

  private async follow(instance: string): Promise<void> {
    const { settings, source } = this.parts;
    const exchange = exchangeOf(instance, await settings.of(instance));
    if (exchange !== undefined) {
      this.names.add(instance);
      await source.consumeExchange(exchange);
    } else {
      this.names.delete(instance);
      await source.dropExchange(instance);
    }
  }
}

/** An instance's own exchange has its name (contract B.3). */
export function exchangeOf(instance: string, settings: Settings | undefined): ConsumedExchange | undefined {
  const { rabbitmq } = settings ?? {};
  if (rabbitmq?.enabled !== true) return undefined;
  return { name: instance, instance, events: filterOf(rabbitmq.events) };
}

/** The global exchange, and those of the instances whose settings say so. */
export function consumedExchanges(
  { rabbitmq }: Config,
  settings: ReadonlyMap<string, Settings>,
): ConsumedExchange[] {
  const own = [...settings].flatMap(([instance, each]) => exchangeOf(instance, each) ?? []);
  return rabbitmq.global ? [{ name: rabbitmq.exchange, events: rabbitmq.events }, ...own] : own;
}
