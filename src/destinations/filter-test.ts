import type { Config } from '../config/config';
import { filterKey } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import type { Refusal } from '../filters/content-filter';
import { EventView } from '../filters/event-view';
import type { DestinationId } from '../pipeline/delivery';
import { isWanted } from '../pipeline/route';
import type { Settings } from '../settings/section';
import { type Wants, wantsOf } from './destination-fields';
import { globalId, instanceId } from './destination-ids';
import type { DestinationModule } from './module';

/** Whether a destination would receive an event, and where it would not, why. */
export interface FilterVerdict {
  readonly receives: boolean;
  readonly reasons?: readonly Refusal[];
}

export interface FilterAnswer extends FilterVerdict {
  readonly destination: DestinationId;
}

export interface FilterTest {
  readonly modules: readonly DestinationModule[];
  readonly config: Config;
  readonly envelope: Envelope;
  /** Of the event's instance. */
  readonly instance: string;
  readonly settings: Settings | undefined;
  /** Whether global destinations are looked at, too: they are the operator's. */
  readonly withGlobals: boolean;
}

/** Names of a list that are shown. */
const MAX_SHOWN = 10;

/** What every destination of an instance would do with an event, were it routed now. Nothing is sent. */
export function testFilters(test: FilterTest): FilterAnswer[] {
  const view = new EventView(test.envelope);
  return test.modules.flatMap((module) => [
    ...(test.withGlobals ? globalAnswers(module, test.config, view) : []),
    ...(test.settings === undefined ? [] : ownAnswers(module, test, view, test.settings)),
  ]);
}

/** What would become of an event at a destination that wants this. */
export function verdictOf({ events, content }: Wants, view: EventView): FilterVerdict {
  const key = filterKey(view.envelope.event);
  if (!isWanted(events, key, view.envelope)) {
    const wanted = events === 'all' ? [] : [...events].slice(0, MAX_SHOWN);
    return refused({ condition: 'events', wanted, found: key });
  }
  if (content === undefined || content.passes(view)) return { receives: true };
  return { receives: false, reasons: content.refusals(view) };
}

function globalAnswers(module: DestinationModule, config: Config, view: EventView): FilterAnswer[] {
  const wants = module.globalWants?.(config);
  return wants === undefined ? [] : [{ destination: globalId(module.kind), ...verdictOf(wants, view) }];
}

function ownAnswers(
  { kind, section }: DestinationModule,
  { config, instance }: FilterTest,
  view: EventView,
  settings: Settings,
): FilterAnswer[] {
  if (section === undefined) return [];
  const obstacle = section.definition.obstacle?.(config);
  return section.all(settings).map(({ slot, value }) => {
    const destination = instanceId(kind, instance, slot.name);
    if (!value.enabled)
      return { destination, ...refused({ condition: 'enabled', wanted: true, found: false }) };
    if (obstacle !== undefined)
      return { destination, ...refused({ condition: 'configuration', wanted: obstacle }) };
    return { destination, ...verdictOf(wantsOf(value), view) };
  });
}

function refused(reason: Refusal): FilterVerdict {
  return { receives: false, reasons: [reason] };
}
