import { instanceOf } from '../destinations/destination-ids';
import { describeError, throttled } from '../observability/report';
import type { DestinationId } from '../pipeline/delivery';
import type { Subscriptions } from '../redis/subscriber';
import { SettingsCache } from '../settings/settings-cache';
import { subscriberOf } from '../settings/settings-subscriber';
import type { Storage } from './compose-storage';
import { Sources } from './intake';
import { keptNotes } from './kept-notes';
import { OrderedCopies } from './ordered-copies';
import type { WorkerOptions } from './worker-options';

export interface IntakeContext {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly changes: Subscriptions;
  /** Settings changed, of this instance or (undefined) of any. */
  readonly onChange: (instance: string | undefined) => void;
  readonly isOrdered: (id: DestinationId) => Promise<boolean>;
}

/** What comes in: settings say which sources an instance has, and sources which second copies there are. */
export interface IntakeParts {
  readonly settings: SettingsCache;
  readonly sources: Sources;
  readonly copies: OrderedCopies;
}

export function composeIntake(context: IntakeContext): IntakeParts {
  const settings = openSettings(context, (instance) => {
    context.onChange(instance);
    sources.changed(instance);
  });
  const sources: Sources = openSources(context, settings);
  const copies = openCopies(context, settings, sources);
  return { settings, sources, copies };
}

function openSettings(
  { options, storage, changes }: IntakeContext,
  onChange: IntakeContext['onChange'],
): SettingsCache {
  const { settings: file, fileFaults = [], metrics, log } = options;
  return new SettingsCache({
    store: storage.settingsStore,
    subscriber: subscriberOf(changes),
    file,
    fileFaults,
    onChange,
    onUnreadable: (count) => metrics.unreadableInstances.set(count),
    onError: throttled((error) => log.warn('settings cannot be read', describeError(error))),
    log,
  });
}

function openSources({ options, storage }: IntakeContext, settings: SettingsCache): Sources {
  const { modules, config, settings: file, log } = options;
  return new Sources({
    modules: modules.sources,
    config,
    file,
    settings,
    store: storage.settingsStore,
    notes: (name) => keptNotes(storage.redis.commands, config.redis.prefix, name),
    log,
  });
}

function openCopies(
  { storage, isOrdered }: IntakeContext,
  settings: SettingsCache,
  sources: Sources,
): OrderedCopies {
  return new OrderedCopies({
    store: storage.store,
    copies: sources.secondCopies,
    isOrdered,
    doubtSettingsOf: (id) => {
      const instance = instanceOf(id);
      if (instance !== undefined) settings.doubt(instance);
    },
    onError: storage.warnRedis,
  });
}
