import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { fromStore } from '../../errors';
import type { Guards } from '../../http-api/guards';
import { notFound } from '../../http-api/http-errors';
import { instanceName } from '../../http-api/instance-name';
import { describe, schemaOf } from '../../http-api/openapi';
import type { Silence, SilenceStore } from '../../silence/silence-store';
import type { WatchedInstance } from '../../silence/watched-instance';
import { Slices } from '../../time/slices';
import { understood } from './stored-queries';

export interface InstanceRoutesParts {
  readonly silence: SilenceStore;
  readonly guards: Guards;
}

const listSchema = z.strictObject({
  state: z.enum(['unwatched', 'learning', 'lively', 'silent']).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
});

/** What is known of instances: when they spoke last, how much is usual, and which are silent. */
export function instanceRoutes(server: FastifyInstance, { silence, guards }: InstanceRoutesParts): void {
  server.get(
    '/instances',
    {
      onRequest: guards.operator,
      schema: {
        ...describe('operations', 'What is known of each instance, the silent ones first'),
        querystring: schemaOf(listSchema),
      },
    },
    async ({ query }) => {
      const { limit, offset, state } = understood(listSchema, query, 'query');
      const all = (await fromStore(listed(silence))).filter(
        (row) => state === undefined || row.state === state,
      );
      return { instances: all.slice(offset, offset + limit), total: all.length };
    },
  );
  server.get<{ Params: { instance: string } }>(
    '/instances/:instance',
    {
      onRequest: guards.instance,
      schema: describe(
        'operations',
        'What is known of an instance, with its usual messages in each hour of the week',
      ),
    },
    async ({ params }) => {
      const name = instanceName(params.instance);
      const { watched, silence: silent } = await fromStore(silence.instance(name));
      if (watched === undefined)
        throw notFound(`nothing was heard of ${name} yet, or only within the last hour`);
      return { ...rowOf(name, watched, silent), usualPerHour: [...watched.rhythm.rates].map(rounded) };
    },
  );
}

interface InstanceRow {
  readonly instance: string;
  readonly state: string;
  readonly reason?: string;
  readonly silentSince?: string;
  readonly lastMessage: string;
  readonly messagesPerDay: number;
}

async function listed(store: SilenceStore): Promise<InstanceRow[]> {
  const silent = await store.silentOnes();
  const slices = new Slices();
  const rows: InstanceRow[] = [];
  for await (const [instance, watched] of store.instances()) {
    await slices.pause();
    rows.push(rowOf(instance, watched, silent.get(instance)));
  }
  return rows.sort(silentFirst);
}

function silentFirst(one: InstanceRow, other: InstanceRow): number {
  const bySilence = Number(other.state === 'silent') - Number(one.state === 'silent');
  if (bySilence !== 0) return bySilence;
  return one.instance < other.instance ? -1 : 1;
}

/** Records are an hour old at most; silences are reported at once. */
function rowOf(
  instance: string,
  { state, verdict, rhythm }: WatchedInstance,
  silence?: Silence,
): InstanceRow {
  const kind = verdict.kind === 'silent' ? 'lively' : verdict.kind;
  return {
    instance,
    state: silence === undefined ? kind : 'silent',
    ...(silence === undefined
      ? {}
      : { reason: silence.why, silentSince: new Date(silence.since).toISOString() }),
    lastMessage: new Date(state.lastMessageAt).toISOString(),
    messagesPerDay: rounded(rhythm.usual.perDay),
  };
}

function rounded(rate: number): number {
  return Math.round(rate * 10) / 10;
}
