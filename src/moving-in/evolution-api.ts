import { instanceNameProblem } from '../settings/instance-names';
import { type Fields, isFields, type Section } from '../settings/section';
import type { Sections } from '../settings/sections';
import { CLIENT_NAME } from '../version';
import type { Core, CoreInstance, CoreSection, CoreSections } from './core';
import { CoreApiError } from './core-api-error';
import type { CoreClient } from './core-client';

/** Of rows: what the core's database says of them, and nothing that anybody set. */
const OF_ROWS: ReadonlySet<string> = new Set(['createdAt', 'updatedAt']);

/** Evolution API: one route for each section of an instance (docs/core-api.md#rest). */
export class EvolutionApi implements Core {
  readonly name = 'Evolution API';
  readonly canHandOver = true;

  constructor(
    private readonly client: CoreClient,
    private readonly sections: Sections,
  ) {}

  async instances(): Promise<readonly CoreInstance[]> {
    const rows = await this.client.ask('GET', '/instance/fetchInstances');
    if (!Array.isArray(rows)) throw this.client.isNoList('the core API');
    if (rows.some(isOwn)) throw ownGateway();
    const instances = rows.flatMap((row: unknown) => instanceOf(row) ?? []);
    if (instances.length === 0 && rows.length > 0) throw this.client.isNoList('the core API');
    return instances;
  }

  async read(instance: CoreInstance): Promise<CoreSections> {
    const found = new Map<Section, CoreSection>();
    for (const section of this.sections.list) {
      const route = routeOf(section, 'find', instance);
      found.set(section, sectionOf(section, await this.client.ask('GET', route)));
    }
    return found;
  }

  async set(instance: CoreInstance, section: Section, fields: Fields): Promise<void> {
    await this.client.ask('POST', routeOf(section, 'set', instance), { [section.name]: fields });
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** @throws CoreApiError for a name of which no address can be made, so that it holds up no other instance */
function routeOf(section: Section, verb: 'find' | 'set', { name }: CoreInstance): string {
  const problem = instanceNameProblem(name);
  if (problem !== undefined) throw new CoreApiError('CORE_REFUSED', `instance: ${problem}`);
  return `/${section.name}/${verb}/${encodeURIComponent(name)}`;
}

/** Of a relay's gateway, which has the core API's routes. */
function isOwn(row: unknown): boolean {
  return isFields(row) && row['clientName'] === CLIENT_NAME;
}

/** Handed over, its instances would be switched off just where they have been switched on. */
function ownGateway(): CoreApiError {
  return new CoreApiError(
    'CORE_NOT_FOUND',
    "what answers there is the gateway of a relay, not the core API: give the core API's address, which has another port",
  );
}

/** Rows of 2.x have `name`; those of 1.x had everything under `instance`. */
function instanceOf(row: unknown): CoreInstance | undefined {
  const fields = isFields(row) && isFields(row['instance']) ? row['instance'] : row;
  if (!isFields(fields)) return undefined;
  const name = textOf(fields['name']) ?? textOf(fields['instanceName']);
  const id = textOf(fields['id']) ?? textOf(fields['instanceId']);
  const token = textOf(fields['token']) ?? textOf(fields['apikey']);
  if (name === undefined) return undefined;
  return { name, ...(id === undefined ? {} : { id }), ...(token === undefined ? {} : { token }) };
}

function sectionOf(section: Section, answer: unknown): CoreSection {
  // A transport that the core's configuration switches off answers with an empty body.
  if (answer === undefined) return { kind: 'off' };
  const present = section.withPresentNames(answer);
  if (!isFields(present)) return { kind: 'none' };
  const known = Object.keys(section.definition.fields.shape).filter((name) => !OF_ROWS.has(name));
  const entries = known.flatMap((name) => (present[name] === undefined ? [] : [[name, present[name]]]));
  return entries.length === 0 ? { kind: 'none' } : { kind: 'row', fields: Object.fromEntries(entries) };
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
