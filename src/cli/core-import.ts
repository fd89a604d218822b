import type { Config } from '../config/config';
import { httpUrl, unsendableKey } from '../config/formats';
import { MODULES } from '../modules';
import type { CoreInstance, CoreSections } from '../moving-in/core';
import { type FoundCore, findCore } from '../moving-in/find-core';
import { HandOver, type HandOverResult } from '../moving-in/hand-over';
import { Importer, type ImportResult } from '../moving-in/importer';
import { MovingNotes, type Note } from '../moving-in/moving-notes';
import { counted } from '../plural';
import type { RelayRedis } from '../redis/relay-redis';
import { withRedis } from '../redis/with-redis';
import { isWorkerThere } from '../retry/worker-there';
import { boundedLines } from '../settings/bounds';
import { openSettingsStore } from '../settings/open-store';
import type { Section } from '../settings/section';
import { SettingsRules } from '../settings/settings-rules';
import { monotonicMs } from '../time/monotonic';
import { FINDING, UsageError } from './exit';
import { complain, printLine, printTable } from './output';

export interface CoreImportOptions {
  readonly fromCore: string;
  readonly key?: string;
  readonly apply?: boolean;
  readonly handOver?: boolean;
  readonly handBack?: boolean;
  readonly instance?: readonly string[];
  readonly sections?: readonly string[];
}

/** Requests at the core at once. */
const CONNECTIONS = 10;
/** Workers follow a change of settings within a second. */
const FOLLOW_MS = 2000;
/** What the core published before it delivers again is on its way to the workers. */
const LAST_EVENTS_MS = 5000;
const PROGRESS_MS = 1000;
const RETRY_LINE_MS = 5000;
const NO_WORKER =
  'no worker of the relay runs with this Redis (REDIS_URI, REDIS_PREFIX_KEY): start one first, so that what the core publishes is consumed';

/** Reads what a running core has for its instances: shows it, stores it, and moves its deliveries here or back. */
export async function importFromCore(options: CoreImportOptions): Promise<void> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const delivering = deliveringSections(options.sections);
  checkDirection(options);
  const found = await findCore(
    {
      url: addressOf(options.fromCore),
      key: keyOf(options, config),
      outgoing: config.outgoing,
      connections: CONNECTIONS,
      onRetry: retryLines(),
    },
    MODULES.sections,
  );
  try {
    checkHandOver(options, found);
    await withRedis(config.redis, (redis) => run({ options, config, delivering, found, redis }));
  } finally {
    await found.core.close();
  }
}

interface Run {
  readonly options: CoreImportOptions;
  readonly config: Config;
  readonly delivering: readonly Section[];
  readonly found: FoundCore;
  readonly redis: RelayRedis;
}

async function run(given: Run): Promise<void> {
  const { options, config, found, redis } = given;
  const store = openSettingsStore(MODULES.sections, config, redis);
  const rules = new SettingsRules({ sections: MODULES.sections, file: new Map(), config });
  const notes = new MovingNotes(redis, config.redis.prefix, options.fromCore);
  const instances = chosen(options, found.instances);
  const parts = { core: found.core, store, notes, onProgress: progress() };
  const mover = (followMs: number): HandOver =>
    new HandOver({
      ...parts,
      rules,
      sections: given.delivering,
      withoutSource: (of) => withoutSource(config, of),
      obstacleOf: ({ definition }) => definition.obstacle?.(config),
      setInVain: (settings) => MODULES.consumedEvents.setInVain(config, settings),
      followMs,
    });
  if (options.handBack === true) return handBack(given, notes, mover(LAST_EVENTS_MS));
  const importer = new Importer({
    ...parts,
    rules: {
      settings: rules,
      delivering: new Set(allDelivering()),
      stillDelivered: stillDelivered(found),
      isBrought: (section) => isBrought(config, section),
    },
  });
  const apply = options.apply === true;
  const result = await importer.run(instances, { apply, resumes: options.instance === undefined });
  reportImport(result, { apply, instances: instances.length, core: found.core.name });
  if (options.handOver !== true) return;
  const isConsumed = await isWorkerThere(redis, config.redis.prefix);
  if (!isConsumed) complainOf([NO_WORKER], apply ? 'nothing was handed over' : 'would not be handed over');
  if (apply && !isConsumed) return;
  if (!apply) {
    reportPreview(await mover(FOLLOW_MS).preview(instances));
    return printLine('nothing was handed over: --apply does it');
  }
  reportMoved(await mover(FOLLOW_MS).over(instances), 'handed over');
}

async function handBack({ options, found }: Run, notes: MovingNotes, mover: HandOver): Promise<void> {
  const handed = await notes.all();
  const known = new Map(found.instances.map((instance) => [instance.name, instance]));
  const all = [...handed.keys()].map((name): CoreInstance => known.get(name) ?? { name });
  const instances = options.instance === undefined ? all : all.filter(({ name }) => isNamed(options, name));
  if (options.apply === true) return reportMoved(await mover.back(instances), 'handed back');
  printTable(
    ['INSTANCE', 'WHAT'],
    instances.map(({ name }) => [name, sectionsOf(handed.get(name))]),
  );
  printLine(`${counted(instances.length, 'instance')} would be handed back: --apply does it`);
}

function sectionsOf(note: Note | undefined): string {
  return note?.kind === 'readable' ? Object.keys(note.sections).join(', ') : 'not readable';
}

function reportImport(
  { plans, skipped, problems, warnings }: ImportResult,
  { apply, instances, core }: { readonly apply: boolean; readonly instances: number; readonly core: string },
): void {
  const byName = [...plans].sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = byName.flatMap(([name, { changes }]) => changes.map(({ what, text }) => [name, what, text]));
  if (rows.length > 0) printTable(['INSTANCE', 'WHAT', apply ? 'CHANGED' : 'WOULD CHANGE'], rows);
  const already = skipped > 0 ? `, ${skipped} of them imported by the run before, which was cut` : '';
  printLine(
    `${core}: ${counted(instances, 'instance')}${already}; ${plans.size} ${apply ? 'imported' : 'would change'}`,
  );
  if (!apply && plans.size > 0) printLine('nothing was changed: --apply imports');
  for (const line of boundedLines(warnings)) complain(`warning: ${line}`);
  complainOf(problems, 'not imported');
}

/** @throws what ended it too early, once the rest is said */
function reportPreview({ moved, problems, warnings, fault }: HandOverResult): void {
  for (const line of [...moved].sort()) printLine(`would be handed over: ${line}`);
  for (const line of boundedLines([...warnings].sort())) complain(`warning: ${line}`);
  complainOf(problems, 'would not be handed over');
  if (fault !== undefined) throw fault;
}

/** @throws what ended it too early, once the rest is said */
function reportMoved({ moved, problems, warnings, both, fault }: HandOverResult, what: string): void {
  for (const line of [...moved].sort()) printLine(`${what}: ${line}`);
  printLine(`${counted(moved.length, 'instance')} ${what}`);
  for (const line of boundedLines([...warnings].sort())) complain(`warning: ${line}`);
  complainOf(problems, `not ${what}`);
  complainOf(
    both.map((name) => JSON.stringify(name)),
    'delivered by both, the core and the relay, until this is run again',
  );
  if (fault !== undefined) throw fault;
}

function complainOf(problems: readonly string[], what: string): void {
  for (const line of boundedLines([...problems].sort())) complain(`${what}: ${line}`);
  if (problems.length > 0) process.exitCode = FINDING;
}

function addressOf(url: string): string {
  if (httpUrl.parse(url) !== undefined) {
    const { username, password, search, hash } = new URL(url);
    if (username !== '' || password !== '')
      throw new UsageError(
        '--from-core: must have no user and password in it, as they are not sent: what opens the core API is its key (--key)',
      );
    if (search === '' && hash === '') return url;
    throw new UsageError('--from-core: must be an address without ? and #, such as http://localhost:8080');
  }
  const wanted = httpUrl.fault?.(url) ?? 'the address of the core API';
  throw new UsageError(`--from-core: must be ${wanted}, such as http://localhost:8080`);
}

function keyOf({ key }: CoreImportOptions, config: Config): string {
  const given = key ?? config.gateway.apiKey;
  const problem = given === '' ? undefined : unsendableKey(given);
  if (problem !== undefined)
    throw new UsageError(`${key === undefined ? 'AUTHENTICATION_API_KEY' : '--key'}: ${problem}`);
  if (given !== '') return given;
  throw new UsageError("AUTHENTICATION_API_KEY: must be set to the core API's global key, or give --key");
}

function checkDirection({ handOver, handBack, sections }: CoreImportOptions): void {
  if (handOver === true && handBack === true)
    throw new UsageError('--hand-over and --hand-back are opposites: give one of them');
  // An import takes all sections, and a hand-back all that was handed over: left half, both would deliver.
  if (sections !== undefined && handOver !== true)
    throw new UsageError('--sections: says what --hand-over moves, and is given with it alone');
}

function checkHandOver({ handOver, handBack, fromCore }: CoreImportOptions, { core }: FoundCore): void {
  if ((handOver === true || handBack === true) && !core.canHandOver)
    throw new UsageError(
      `--hand-over: ${core.name} at ${fromCore} has no route for it: clear the webhook of each instance there (docs/moving-in.md)`,
    );
}

function stillDelivered({ core }: FoundCore): string {
  return core.canHandOver
    ? 'the core API delivers it until --hand-over'
    : `${core.name} delivers it until it is cleared there; then switch it on here`;
}

function allDelivering(): readonly Section[] {
  return MODULES.destinations.flatMap(({ section }) => section ?? []);
}

function deliveringSections(names: readonly string[] | undefined): readonly Section[] {
  const all = allDelivering();
  if (names === undefined) return all;
  const wrong = names.filter((name) => !all.some((section) => section.name === name));
  if (wrong.length === 0) return all.filter(({ name }) => names.includes(name));
  const known = all.map(({ name }) => name).join(', ');
  throw new UsageError(`--sections: must be of ${known}; ${wrong.join(', ')} is none of them`);
}

function chosen(options: CoreImportOptions, instances: readonly CoreInstance[]): readonly CoreInstance[] {
  if (options.instance === undefined) return instances;
  const missing = options.instance.filter((wanted) => !instances.some(({ name }) => name === wanted));
  if (missing.length > 0) throw new UsageError(`--instance: the core has no ${missing.join(', ')}`);
  return instances.filter(({ name }) => isNamed(options, name));
}

function isNamed({ instance = [] }: CoreImportOptions, name: string): boolean {
  return instance.includes(name);
}

/** Whether a source brings the events of all instances, and this section is about what it brings of one alone. */
function isBrought(config: Config, section: Section): boolean {
  const source = MODULES.sources.find((each) => each.section === section);
  return source?.globalEvents?.(config) !== undefined;
}

function withoutSource(config: Config, found: CoreSections): string | undefined {
  const brings = MODULES.sources.some((source) => {
    if (!source.isEnabled(config)) return false;
    if (source.globalEvents?.(config) !== undefined) return true;
    const own = source.section === undefined ? undefined : found.get(source.section);
    return own?.kind === 'row' && own.fields['enabled'] === true;
  });
  if (brings) return undefined;
  return 'its events reach no source of the relay, and would be lost: let the core API publish them (RABBITMQ_GLOBAL_ENABLED, or rabbitmq or sqs of the instance), and the relay consume them';
}

/** Says how far it is, once a second, as thousands of instances take minutes. */
function progress(): (done: number, of: number) => void {
  let saidAt = monotonicMs();
  return (done, of) => {
    if (monotonicMs() - saidAt < PROGRESS_MS) return;
    saidAt = monotonicMs();
    complain(`${done} of ${counted(of, 'instance')}`);
  };
}

/** A core that hangs is waited for, for minutes in all: what is waited for is said, once in a while. */
function retryLines(): (reason: string, pauseMs: number) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (reason, pauseMs) => {
    if (monotonicMs() - saidAt < RETRY_LINE_MS) return;
    saidAt = monotonicMs();
    complain(`${reason}: trying again in ${(pauseMs / 1000).toFixed(1)} s`);
  };
}
