import { z } from 'zod';
import { eventOf } from '../delivery-log/delivery-log';
import { TenantSearches } from '../http-api/tenant-searches';
import type { DeliveryReader } from './delivery-reader';
import type { ApiAnswer, OwnApi } from './own-api';
import { instanceSeen, type Viewer } from './viewer';

/** What would become of one event. */
export interface TriedEvent {
  readonly event: string;
  /** When something happened to it last; undefined for one that is stored elsewhere, or made up. */
  readonly at: number | undefined;
  readonly receives: boolean;
  readonly reasons: readonly TriedReason[];
}
export interface TriedReason {
  readonly condition: string;
  readonly wanted: string;
  readonly found: string;
}

export type Trial =
  | { readonly kind: 'refused'; readonly answer: ApiAnswer }
  | {
      readonly kind: 'tried';
      readonly from: 'log' | 'request' | 'dead' | 'parked' | 'sample';
      readonly events: readonly TriedEvent[];
    };

export interface FilterTrialsParts {
  readonly api: Pick<OwnApi, 'ask'>;
  readonly reader: Pick<DeliveryReader, 'search' | 'bodyOf'>;
}

/** Of one instance at once: each goes through megabytes. */
const MOST_TRIALS = 2;

/** Events that are tried, and deliveries among which they are looked for. */
const MOST_EVENTS = 10;
const MOST_DELIVERIES = 50;
/** The route takes no larger ones. */
const MAX_BYTES = 900_000;
const MOST_SHOWN = 120;

const answerSchema = z.object({
  event: z.string(),
  from: z.enum(['request', 'dead', 'parked', 'sample']),
  given: z.object({
    receives: z.boolean(),
    reasons: z
      .array(
        z.object({ condition: z.string(), wanted: z.unknown().optional(), found: z.unknown().optional() }),
      )
      .default([]),
  }),
});

/** Tries conditions on events that came lately, as the route does that tries filters. Nothing is sent or set. */
export class FilterTrials {
  private readonly turns = new TenantSearches(MOST_TRIALS);

  constructor(private readonly parts: FilterTrialsParts) {}

  /** @throws HttpError 429 where others of the instance are under way */
  run(viewer: Viewer, instance: string, conditions: object): Promise<Trial> {
    return this.turns.begin(instanceSeen(viewer), () => this.tried(viewer, instance, conditions));
  }

  private async tried(viewer: Viewer, instance: string, conditions: object): Promise<Trial> {
    const events: TriedEvent[] = [];
    for await (const { at, event } of this.recentEvents(viewer, instance)) {
      const answer = await this.ask(viewer, instance, { ...conditions, event });
      const parsed = answerSchema.safeParse(answer.body).data;
      if (parsed === undefined) return { kind: 'refused', answer };
      events.push(triedOf(parsed, at));
    }
    if (events.length > 0) return { kind: 'tried', from: 'log', events };
    const answer = await this.ask(viewer, instance, conditions);
    const parsed = answerSchema.safeParse(answer.body).data;
    if (parsed === undefined) return { kind: 'refused', answer };
    return { kind: 'tried', from: parsed.from, events: [triedOf(parsed, undefined)] };
  }

  /** The newest whose bodies are stored, each read once the one before has been tried: together they are large. */
  private async *recentEvents(
    viewer: Viewer,
    instance: string,
  ): AsyncGenerator<{ readonly at: number; readonly event: object }> {
    const { reader } = this.parts;
    const search = { limit: MOST_DELIVERIES, question: { instance } };
    const { deliveries } = await reader.search(viewer, { instance }, search);
    const seen = new Set<string>();
    let found = 0;
    for (const delivery of deliveries) {
      const id = eventOf(delivery.id);
      if (seen.has(id) || delivery.bytes > MAX_BYTES) continue;
      seen.add(id);
      const event = parsedObject(await reader.bodyOf(delivery));
      if (event === undefined) continue;
      yield { at: delivery.at, event };
      if (++found >= MOST_EVENTS) return;
    }
  }

  private ask(viewer: Viewer, instance: string, body: object): Promise<ApiAnswer> {
    const url = `/webhook/test-filter/${encodeURIComponent(instance)}`;
    return this.parts.api.ask(viewer, { method: 'POST', url, body });
  }
}

function triedOf({ event, given }: z.output<typeof answerSchema>, at: number | undefined): TriedEvent {
  const reasons = given.reasons.map(({ condition, wanted, found }) => ({
    ...{ condition, wanted: shortJson(wanted), found: shortJson(found) },
  }));
  return { event, at, receives: given.receives, reasons };
}

function shortJson(value: unknown): string {
  const text = JSON.stringify(value) ?? '–';
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

function parsedObject(body: Buffer | undefined): object | undefined {
  if (body === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
