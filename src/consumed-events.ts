import type { Config } from './config/config';
import type { ConfigPart } from './config/part';
import type { DestinationModule } from './destinations/module';
import { findKey, OF_INSTANCES_ONLY } from './events/catalogue';
import { type EventFilter, passes } from './events/filter';
import { filterOf } from './settings/document';
import type { Settings } from './settings/section';
import type { SourceModule } from './sources/source-module';

/** Events that are consumed, and what says which: `RABBITMQ_EVENTS_…` or `rabbitmq.events`. */
interface Consumed {
  readonly events: EventFilter;
  readonly saidBy: string;
}

const NOT_CONSUMED = 'no event comes this way, as the relay does not consume it';

/** Of a list that names every event but a few, this many show what is meant. */
const MAX_NAMED = 5;

/**
 * Which events destinations wait for in vain. The core API's own webhook knows nothing of what goes to RabbitMQ, so its `.env`, and
 * the settings of its instances, may name other events for each; of those the relay receives what the core API publishes.
 */
export class ConsumedEvents {
  constructor(
    private readonly destinations: readonly DestinationModule[],
    private readonly sources: readonly SourceModule[],
  ) {}

  /** Switches of global destinations whose events no source brings. */
  switchedInVain(config: Config): string[] {
    const consumed = this.consumedGlobally(config);
    const [first] = consumed;
    if (first === undefined) return [];
    return this.destinations.flatMap((destination) => {
      const missing = missingOf(destination.globalWants?.(config)?.events ?? 'all', consumed);
      if (missing.length === 0) return [];
      const remedy = `set ${first.saidBy.replace('…', missing[0] ?? '')}=true and so on, for the core API as well`;
      return [`${switchesOf(destination)}…: no source brings ${shown(missing)} for all instances: ${remedy}`];
    });
  }

  /** Sections of an instance's destinations that name events which no source brings; each line begins with the section. */
  setInVain(config: Config, settings: Settings): string[] {
    const enabled = this.sources.filter((source) => source.isEnabled(config));
    if (enabled.length === 0) return [];
    const consumed = [
      ...this.consumedGlobally(config),
      ...enabled.flatMap((source) => ownOf(source, settings)),
    ];
    const own = enabled.flatMap(({ section }) => section?.name ?? []).join(' or ');
    const off = this.sources
      .filter((source) => !enabled.includes(source) && ownOf(source, settings).length > 0)
      .map(({ section, switchedOnBy }) => `${section?.name}.enabled: ${NOT_CONSUMED} (${switchedOnBy})`);
    const missed = this.destinations
      .flatMap(({ section }) => section?.all(settings) ?? [])
      .filter(({ value }) => value.enabled)
      .flatMap(({ path, value }) => {
        if (consumed.length === 0)
          return [
            `${path}.events: no event of this instance is consumed: set ${own} for it, here and at the core API`,
          ];
        const missing = missingOf(filterOf(value.events), consumed);
        if (missing.length === 0) return [];
        const sayings = consumed.map(({ saidBy }) => saidBy).join(' or ');
        return [
          `${path}.events: no source brings ${shown(missing)}, which ${sayings} must name as well, here and at the core API`,
        ];
      });
    return [...missed, ...off];
  }

  private consumedGlobally(config: Config): Consumed[] {
    return this.sources
      .filter((source) => source.isEnabled(config))
      .flatMap((source) => {
        const events = source.globalEvents?.(config);
        return events === undefined ? [] : [{ events, saidBy: `${switchesOf(source)}…` }];
      });
  }
}

/** What an instance has of its own at a source. */
function ownOf({ section }: SourceModule, settings: Settings): Consumed[] {
  const value = section?.of(settings);
  if (section === undefined || value?.enabled !== true) return [];
  return [{ events: filterOf(value.events), saidBy: `${section.name}.events` }];
}

/** Events of evolution-go come by queues that have no switches. */
function missingOf(wanted: EventFilter, consumed: readonly Consumed[]): string[] {
  if (wanted === 'all') return [];
  return [...wanted].filter(
    (key) =>
      findKey(key) !== undefined &&
      !OF_INSTANCES_ONLY.includes(key) &&
      !consumed.some(({ events }) => passes(events, key)),
  );
}

function shown(keys: readonly string[]): string {
  const left = keys.length - MAX_NAMED;
  return left > 1 ? `${keys.slice(0, MAX_NAMED).join(', ')} and ${left} more` : keys.join(', ');
}

/** What the switches of events of a source or destination begin with. */
function switchesOf({ config }: { readonly config?: ConfigPart }): string {
  return config?.definition.switches?.prefix ?? '';
}
