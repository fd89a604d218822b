import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type WebhookSettings, webhookSection } from '../../destinations/webhook/webhook-section';
import { type BudgetOptions, SharedBudget, type Taking } from '../../network/shared-budget';
import type { AttemptRecord } from '../../pipeline/delivery';
import type { Slot } from '../../settings/section';
import type { InstanceSettings } from '../../settings/settings-editor';
import { readSlot } from '../../settings/slot';
import { monotonicMs } from '../../time/monotonic';
import type { Guards } from '../guards';
import { badRequest, HttpError, notFound } from '../http-errors';
import { instanceName } from '../instance-name';
import { describe, schemaOf } from '../openapi';
import {
  fullAnswer,
  tenantsAnswer,
  UNREACHABLE_ANSWER,
  type WebhookTestAnswer,
} from '../webhook-test-answer';

export interface WebhookTestRoutesParts {
  readonly instances: InstanceSettings;
  readonly guards: Guards;
  /** Sends one sample event now, waits no longer than `timeoutMs`, and does not try again. */
  readonly sendSample: (sample: Sample) => Promise<AttemptRecord>;
}

export interface Sample {
  readonly instance: string;
  readonly slot: Slot<WebhookSettings>;
  readonly webhook: WebhookSettings;
  readonly timeoutMs: number;
}

/** Tests under way at once: in all, and of one instance, so that none makes others wait. */
const TESTS: BudgetOptions = { inAll: 50, perHolder: 2 };
const TIMEOUT_MS = 15_000;
/** A name that is not found and one that leads inside take different times to be found out about. */
const UNREACHABLE_AFTER_MS = 2000;
const BODY_LIMIT = 4096;
const RETRY_AFTER_SECONDS = 5;
const REFUSALS: Readonly<Record<'holder' | 'all', string>> = {
  holder: `${TESTS.perHolder} tests of this instance are under way, each for ${TIMEOUT_MS / 1000} s at most: try again`,
  all: `${TESTS.inAll} tests are under way in all: try again`,
};

const bodySchema = z.strictObject({ name: z.string().optional().describe('of a further, named webhook') });

export function webhookTestRoutes(server: FastifyInstance, parts: WebhookTestRoutesParts): void {
  const { instances, guards, sendSample } = parts;
  const tests = new SharedBudget(TESTS);
  server.post<{ Params: { instance: string } }>(
    '/webhook/test/:instance',
    {
      onRequest: guards.instance,
      bodyLimit: BODY_LIMIT,
      schema: {
        ...describe('delivery', 'Send one sample event to a webhook now; answers with what came back'),
        body: schemaOf(bodySchema),
      },
    },
    async (request) => {
      const instance = instanceName(request.params.instance);
      const slot = slotOf(request.body);
      const place = takePlace(tests, instance);
      try {
        const webhook = readSlot(await instances.find(instance), slot);
        if (webhook === undefined) throw notFound(missing(instance, slot));
        const startedAt = monotonicMs();
        const record = await sendSample({ instance, slot, webhook, timeoutMs: TIMEOUT_MS });
        if (guards.accessOf(request) === 'all') return fullAnswer(record);
        return await atTheSameTime(tenantsAnswer(record), startedAt);
      } finally {
        place.release();
      }
    },
  );
}

function slotOf(body: unknown): Slot<WebhookSettings> {
  const parsed = bodySchema.safeParse(body ?? {});
  if (!parsed.success) throw badRequest(['body: may have "name", the name of a webhook, and nothing else']);
  const { name } = parsed.data;
  return { section: webhookSection, ...(name === undefined ? {} : { name }) };
}

function takePlace(tests: SharedBudget, instance: string): Extract<Taking, { readonly kind: 'taken' }> {
  const taking = tests.take(instance);
  if (taking.kind === 'taken') return taking;
  throw new HttpError(429, [REFUSALS[taking.limit]], RETRY_AFTER_SECONDS);
}

function missing(instance: string, { name }: Slot<WebhookSettings>): string {
  return `${instance} has no webhook${name === undefined ? '' : ` ${name}`}: set one first`;
}

async function atTheSameTime(answer: WebhookTestAnswer, startedAt: number): Promise<WebhookTestAnswer> {
  if (answer === UNREACHABLE_ANSWER) await delay(startedAt + UNREACHABLE_AFTER_MS - monotonicMs());
  return answer;
}
