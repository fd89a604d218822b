import { inspectAlerts } from '../alerts/alert-doctor';
import type { Config } from '../config/config';
import { errorText, StoreUnavailableError } from '../errors';
import { inspectCoreApi } from '../gateway/core-api-doctor';
import { inspectShares } from '../ledger/ledger-doctor';
import type { Modules } from '../modules';
import type { Finding } from '../observability/finding';
import { inspectRedis } from '../redis/redis-doctor';
import type { RelayRedis } from '../redis/relay-redis';
import { withRedis } from '../redis/with-redis';
import { RetryStore } from '../retry/retry-store';
import { boundedLines } from '../settings/bounds';
import { openSettingsStore } from '../settings/open-store';
import type { Settings } from '../settings/section';
import type { Sections } from '../settings/sections';
import { faultFindings, inspectSettings } from '../settings/settings-doctor';
import type { FileFault, SettingsFile } from '../settings/settings-file';
import { inspectAddresses } from './address-findings';

export interface DoctorParts {
  readonly modules: Modules;
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Of the configuration, chosen on purpose. */
  readonly notes?: readonly string[];
  /** Of SETTINGS_FILE, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
  /** Entries of SETTINGS_FILE that are wrong. */
  readonly fileFaults?: readonly FileFault[];
}

/** Looks at everything that is configured, and changes nothing; a Pusher app gets one event that nobody subscribes to. */
export async function examine({
  modules,
  config,
  warnings,
  notes = [],
  settings: file,
  fileFaults = [],
}: DoctorParts): Promise<Finding[]> {
  const stored = await inspectStore(modules.sections, config, { settings: file, faults: fileFaults });
  const { settings } = stored;
  const context = { config, settings };
  const [sources, destinations, alerts, coreApi] = await Promise.all([
    Promise.all(modules.sources.map((module) => module.inspect(context))),
    Promise.all(modules.destinations.map(async (module) => (await module.inspect?.(context)) ?? [])),
    inspectAlerts(config.alerts),
    inspectCoreApi(config),
  ]);
  return [
    ...inspectConfig(config, warnings),
    ...notes.map((detail): Finding => ({ part: 'configuration', check: 'choices', state: 'note', detail })),
    ...inspectSources(modules, config),
    ...inspectGlobals(modules, config),
    ...sources.flat(),
    ...stored.findings,
    ...inspectEvents(modules, context),
    ...destinations.flat(),
    ...coreApi,
    ...alerts,
  ];
}

/** What instances wait for in vain. */
function inspectEvents(
  { consumedEvents }: Modules,
  { config, settings }: Pick<DoctorParts, 'config' | 'settings'>,
): Finding[] {
  const lines = [...settings].flatMap(([instance, each]) =>
    consumedEvents.setInVain(config, each).map((line) => `${JSON.stringify(instance)}: ${line}`),
  );
  return boundedLines(lines).map((detail) => ({ part: 'settings', check: 'events', state: 'note', detail }));
}

/** Without any a worker does not start. */
function inspectSources({ sources }: Modules, config: Config): Finding[] {
  if (sources.some((source) => source.isEnabled(config))) return [];
  const ways = sources.map(({ switchedOnBy }) => switchedOnBy).join(', or ');
  const detail = `there is no source to consume from, so no worker starts, and start receives no event: ${ways}`;
  return [{ part: 'configuration', check: 'sources', state: 'trouble', detail }];
}

/** May be meant, where every instance has destinations of its own. */
function inspectGlobals(modules: Modules, config: Config): Finding[] {
  const detail = modules.withoutGlobal(config);
  if (detail === undefined) return [];
  return [{ part: 'configuration', check: 'destinations', state: 'note', detail }];
}

function inspectConfig(config: Config, warnings: readonly string[]): Finding[] {
  const part = 'configuration';
  const notes = warnings.map((detail): Finding => ({ part, check: 'variables', state: 'trouble', detail }));
  const isOpen = config.gateway.apiKey !== '';
  return [
    ...(notes.length > 0
      ? notes
      : [{ part, check: 'variables', state: 'ok' as const, detail: 'all understood' }]),
    isOpen
      ? { part, check: 'gateway', state: 'ok', detail: 'AUTHENTICATION_API_KEY is set' }
      : {
          part,
          check: 'gateway',
          state: 'note',
          detail: 'AUTHENTICATION_API_KEY is not set: only worker can start',
        },
  ];
}

async function inspectStore(
  sections: Sections,
  config: Config,
  file: Pick<SettingsFile, 'settings' | 'faults'>,
): Promise<{ findings: Finding[]; settings: ReadonlyMap<string, Settings> }> {
  try {
    return await withRedis(config.redis, async (redis) => {
      const store = openSettingsStore(sections, config, redis);
      const { findings, settings } = await inspectSettings(config, store, file.settings, file.faults);
      const shares = await inspectParked(redis, config);
      return { findings: [...(await inspectRedis(redis, config.redis)), ...shares, ...findings], settings };
    });
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    const finding: Finding = {
      part: 'redis',
      check: 'connection',
      state: 'trouble',
      detail: errorText(error),
    };
    return { findings: [finding, ...faultFindings(file.faults)], settings: file.settings };
  }
}

async function inspectParked(redis: RelayRedis, { redis: { prefix }, retry }: Config): Promise<Finding[]> {
  const store = new RetryStore({ redis, prefix, onError: () => {} });
  try {
    const limits = { parkedBytes: retry.parkedMaxBytes, dead: retry.deadLetterShare };
    return [...(await inspectShares(store, limits)), ...(await inspectAddresses(store))];
  } finally {
    await store.close().catch(() => {});
  }
}
