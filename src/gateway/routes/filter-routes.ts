import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Config } from '../../config/config';
import { type RecentEvent, recentEvent } from '../../dead-letters/recent-event';
import { contentFields, wantsOf } from '../../destinations/destination-fields';
import {
  type FilterAnswer,
  type FilterVerdict,
  testFilters,
  verdictOf,
} from '../../destinations/filter-test';
import type { DestinationModule } from '../../destinations/module';
import { errorText, fromStore, MalformedEventError } from '../../errors';
import { type Envelope, parseEnvelope } from '../../events/envelope';
import { sampleEvent } from '../../events/sample';
import { EventView } from '../../filters/event-view';
import type { Guards } from '../../http-api/guards';
import { badRequest } from '../../http-api/http-errors';
import { instanceName } from '../../http-api/instance-name';
import { describe, schemaOf } from '../../http-api/openapi';
import { TenantSearches } from '../../http-api/tenant-searches';
import type { RetryStore } from '../../retry/retry-store';
import { checkedBy, problemsOf } from '../../settings/own-words';
import { eventsField } from '../../settings/section-fields';
import type { SettingsEditor } from '../../settings/settings-editor';

export interface FilterRoutesParts {
  readonly modules: readonly DestinationModule[];
  readonly config: Config;
  readonly instances: SettingsEditor;
  readonly store: Pick<RetryStore, 'call'>;
  readonly guards: Guards;
}

interface OfInstance {
  readonly Params: { readonly instance: string };
}

interface TestAnswer {
  readonly instance: string;
  readonly event: string;
  /** Where the event is from: the request, what is stored, or made up as nothing is. */
  readonly from: 'request' | RecentEvent['state'] | 'sample';
  readonly destinations: readonly FilterAnswer[];
  /** Of the conditions that the request has. */
  readonly given?: FilterVerdict;
}

/** An event that has a picture within; one of videos is not for this. */
const BODY_LIMIT = 1_048_576;
const SAMPLE = 'messages.upsert';
/** Of one instance at once: what is found may be as large as an event can be. */
const MOST_SEARCHES = 2;

const bodySchema = z.strictObject({
  event: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('as the core publishes it; left out: one of the instance that is stored, or else a sample'),
  events: eventsField.removeDefault().optional(),
  ...contentFields,
});
type Body = z.output<typeof bodySchema>;

/** Says which destinations of an instance would receive an event, and why the others would not. Nothing is sent. */
export function filterRoutes(server: FastifyInstance, parts: FilterRoutesParts): void {
  const searches = new TenantSearches(MOST_SEARCHES);
  server.post<OfInstance>(
    '/webhook/test-filter/:instance',
    {
      onRequest: parts.guards.instance,
      bodyLimit: BODY_LIMIT,
      schema: {
        ...describe(
          'delivery',
          'Which destinations of an instance would receive an event, and why others would not; conditions that are given are tried, too',
        ),
        body: schemaOf(bodySchema),
      },
    },
    (request) => {
      const isTenant = parts.guards.accessOf(request) !== 'all';
      return searches.begin(isTenant ? request.params.instance : undefined, () => answer(request, parts));
    },
  );
}

async function answer(request: FastifyRequest<OfInstance>, parts: FilterRoutesParts): Promise<TestAnswer> {
  const { modules, config, instances, guards } = parts;
  const instance = instanceName(request.params.instance);
  const { event, events, ...conditions } = bodyOf(request.body);
  const { from, envelope } = await eventOf(parts, instance, event);
  const settings = await instances.find(instance);
  const withGlobals = guards.accessOf(request) === 'all';
  const isTried = events !== undefined || Object.keys(conditions).length > 0;
  return {
    instance,
    event: envelope.event,
    from,
    destinations: testFilters({ modules, config, envelope, instance, settings, withGlobals }),
    ...(isTried ? { given: tried({ events, ...conditions }, envelope) } : {}),
  };
}

function tried({ events = [], ...conditions }: Omit<Body, 'event'>, envelope: Envelope): FilterVerdict {
  return verdictOf(wantsOf({ enabled: true, events, ...conditions }), new EventView(envelope));
}

function bodyOf(body: unknown): Body {
  const parsed = checkedBy(bodySchema, body ?? {});
  if (parsed.success) return parsed.data;
  throw badRequest(problemsOf(parsed.error, 'body'));
}

async function eventOf(
  { store, config: { serverUrl } }: FilterRoutesParts,
  instance: string,
  given: Body['event'],
): Promise<Pick<TestAnswer, 'from'> & { readonly envelope: Envelope }> {
  const origin = { routingKey: SAMPLE, instance };
  if (given !== undefined) return { from: 'request', envelope: parsedEvent(given, instance) };
  const recent = await fromStore(recentEvent(store, instance));
  if (recent !== undefined) return { from: recent.state, envelope: recent.envelope };
  const sample = sampleEvent({ instance, event: SAMPLE, index: 0, serverUrl });
  return { from: 'sample', envelope: parseEnvelope(sample, origin, Date.now()) };
}

function parsedEvent(event: object, instance: string): Envelope {
  try {
    return parseEnvelope(Buffer.from(JSON.stringify(event)), { routingKey: '', instance }, Date.now());
  } catch (error) {
    if (error instanceof MalformedEventError) throw badRequest([`event: ${errorText(error)}`]);
    throw error;
  }
}
