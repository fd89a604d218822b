import { z } from 'zod';
import { eventOf } from '../delivery-log/delivery-log';
import type { DeliveryReader } from './delivery-reader';
import type { ApiAnswer, OwnApi } from './own-api';
import type { Viewer } from './viewer';

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
  readonly api: OwnApi;
  readonly reader: DeliveryReader;
}

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
  constructor(private readonly parts: FilterTrialsParts) {}

  async run(viewer: Viewer, instance: string, conditions: object): Promise<Trial> {
    const recent = await this.recentEvents(viewer, instance);
    if (recent.length === 0) {
      const answer = await this.ask(viewer, instance, conditions);
      const parsed = answerSchema.safeParse(answer.body).data;
      if (parsed === undefined) return { kind: 'refused', answer };
      return { kind: 'tried', from: parsed.from, events: [triedOf(parsed, undefined)] };
    }
    const events: TriedEvent[] = [];
    for (const { at, event } of recent) {
      const answer = await this.ask(viewer, instance, { ...conditions, event });
      const parsed = answerSchema.safeParse(answer.body).data;
      if (parsed === undefined) return { kind: 'refused', answer };
      events.push(triedOf(parsed, at));
    }
    return { kind: 'tried', from: 'log', events };
  }

  /** The newest whose bodies are stored. */
  private async recentEvents(
    viewer: Viewer,
    instance: string,
  ): Promise<readonly { readonly at: number; readonly event: object }[]> {
    const { reader } = this.parts;
    const search = { limit: MOST_DELIVERIES, question: { instance } };
    const { deliveries } = await reader.search(viewer, { instance }, search);
    const seen = new Set<string>();
    const found: { at: number; event: object }[] = [];
    for (const delivery of deliveries) {
      const id = eventOf(delivery.id);
      if (seen.has(id) || delivery.bytes > MAX_BYTES) continue;
      seen.add(id);
      const event = parsedObject(await reader.bodyOf(delivery));
      if (event !== undefined) found.push({ at: delivery.at, event });
      if (found.length >= MOST_EVENTS) break;
    }
    return found;
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
