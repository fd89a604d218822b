import { type Fields, isFields, type Section } from '../settings/section';
import type { Sections } from '../settings/sections';
import type { Core, CoreInstance, CoreSection, CoreSections } from './core';
import { CoreApiError } from './core-api-error';
import type { CoreClient } from './core-client';
import { textOf } from './evolution-api';

/** Words of its switches that mean nothing but on: it also has modes, such as `global`. */
const OFF: ReadonlySet<unknown> = new Set(['', 'false', 'disabled', 'off', '0', false, undefined, null]);

/** evolution-go: everything of an instance lies in its row of one list (docs/evolution-go.md). */
export class EvolutionGo implements Core {
  readonly name = 'evolution-go';
  readonly canHandOver = false;
  private readonly rows = new Map<string, Fields>();

  constructor(
    private readonly client: CoreClient,
    private readonly sections: Sections,
  ) {}

  async instances(): Promise<readonly CoreInstance[]> {
    const answer = await this.client.ask('GET', '/instance/all');
    const rows = isFields(answer) ? answer['data'] : answer;
    if (!Array.isArray(rows)) throw this.client.isNoList('evolution-go');
    for (const row of rows) {
      const name = isFields(row) ? textOf(row['name']) : undefined;
      if (name !== undefined) this.rows.set(name, row);
    }
    return [...this.rows].map(([name, row]) => instanceOf(name, row));
  }

  async read({ name }: CoreInstance): Promise<CoreSections> {
    const row = this.rows.get(name) ?? {};
    return new Map(this.sections.list.map((section) => [section, sectionOf(section, row)]));
  }

  async set(): Promise<void> {
    throw new CoreApiError('CORE_REFUSED', 'evolution-go is not changed by this command');
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

function instanceOf(name: string, row: Fields): CoreInstance {
  const id = textOf(row['id']);
  const token = textOf(row['token']);
  return { name, ...(id === undefined ? {} : { id }), ...(token === undefined ? {} : { token }) };
}

/** Its webhook has an address only; what it publishes to RabbitMQ of an instance lies in queues that instances do not name. */
function sectionOf({ name }: Section, row: Fields): CoreSection {
  const events = eventsOf(row['events']);
  if (name === 'webhook') {
    const url = textOf(row['webhook']);
    return url === undefined ? { kind: 'none' } : { kind: 'row', fields: { enabled: true, url, events } };
  }
  if (name !== 'websocket' || OFF.has(row['websocketEnable'])) return { kind: 'none' };
  return { kind: 'row', fields: { enabled: true, events } };
}

/** `MESSAGE,CALL`; ALL, or nothing, is every event. */
function eventsOf(value: unknown): string[] {
  const names = typeof value === 'string' ? value.split(',') : [];
  const events = names.map((name) => name.trim()).filter((name) => name !== '');
  return events.includes('ALL') ? [] : events;
}
