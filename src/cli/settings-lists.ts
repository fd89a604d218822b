import { errorText } from '../errors';
import type { Filled, Settings } from '../settings/section';
import type { Sections } from '../settings/sections';
import type { SettingsEditor } from '../settings/settings-editor';
import { SettingsUnreadableError } from '../settings/settings-errors';
import { type SettingsStore, settingsOrThrow } from '../settings/settings-store';
import { forEachApart } from '../time/for-each-apart';

const AT_ONCE = 20;

export function settingsHead({ list }: Sections): string[] {
  const columns = list.map(({ name, definition }) => (definition.named?.field ?? name).toUpperCase());
  return ['INSTANCE', ...columns];
}

/** What is set for all instances; those whose settings cannot be read stand in the table, and are named with the reason. */
export async function listSettings(
  store: SettingsStore,
): Promise<{ readonly rows: readonly string[][]; readonly unreadable: readonly string[] }> {
  const sections = store.sections.list;
  const rows: string[][] = [];
  const unreadable = await eachReadable(
    store,
    (instance, settings) =>
      rows.push([instance, ...sections.map((section) => statesOf(section.all(settings)))]),
    (instance) =>
      rows.push([instance, ...sections.map((_section, column) => (column === 0 ? 'unreadable' : '?'))]),
  );
  rows.sort(([a = ''], [b = '']) => a.localeCompare(b));
  return { rows, unreadable };
}

/** All settings as `import` takes them, and what cannot be among them. */
export async function exportSettings(
  store: SettingsStore,
): Promise<{ readonly all: readonly object[]; readonly unreadable: readonly string[] }> {
  const all: object[] = [];
  const unreadable = await eachReadable(store, (instanceName, settings) =>
    all.push({ instanceName, ...settings }),
  );
  return { all, unreadable };
}

/** Seals everything with the newest key; names what was not sealed with it before, and what could not be. */
export async function encryptAll(
  store: SettingsStore,
): Promise<{ readonly encrypted: readonly string[]; readonly problems: readonly string[] }> {
  const encrypted: string[] = [];
  const problems: string[] = [];
  await forEachApart({
    items: store.list(),
    atOnce: AT_ONCE,
    work: async ([instance, stored]) => {
      if (stored.kind === 'readable' && stored.isUpToDate) return;
      await store.update(instance, settingsOrThrow);
      encrypted.push(instance);
    },
    onFault: (error, [instance]) => problems.push(`${JSON.stringify(instance)}: ${reasonOf(error)}`),
  });
  return { encrypted, problems };
}

/** Lines about those that could not be set. One after the other: a file may name an instance twice. */
export async function importEach(
  instances: SettingsEditor,
  entries: readonly (readonly [name: string, entry: unknown])[],
): Promise<string[]> {
  const failed: string[] = [];
  await forEachApart({
    items: entries,
    atOnce: 1,
    work: ([instance, entry]) => instances.replace(instance, entry),
    onFault: (error, [instance]) => failed.push(`${JSON.stringify(instance)}: ${reasonOf(error)}`),
  });
  return failed;
}

/** Lines about those that cannot be read. */
async function eachReadable(
  store: SettingsStore,
  take: (instance: string, settings: Settings) => unknown,
  leave: (instance: string) => unknown = () => {},
): Promise<string[]> {
  const unreadable: string[] = [];
  for await (const [instance, stored] of store.list()) {
    if (stored.kind === 'readable') take(instance, stored.settings);
    else if (stored.kind === 'unreadable') {
      leave(instance);
      unreadable.push(errorText(stored.error));
    }
  }
  return unreadable;
}

/** Of all that is set in one section: `on, n8n: off`. */
function statesOf(filled: readonly Filled[]): string {
  const further = filled.filter(({ slot }) => slot.name !== undefined);
  const first = filled.find(({ slot }) => slot.name === undefined);
  const named = further.map(({ slot, value }) => `${slot.name}: ${stateOf(value)}`);
  return [first === undefined ? '-' : stateOf(first.value), ...named].join(', ');
}

function stateOf({ enabled }: { readonly enabled: boolean }): string {
  return enabled ? 'on' : 'off';
}

function reasonOf(error: unknown): string {
  if (error instanceof SettingsUnreadableError) return error.reason;
  return errorText(error);
}
