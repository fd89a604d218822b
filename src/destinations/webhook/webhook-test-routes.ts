import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { badRequest, HttpError, notFound } from '../../http-api/http-errors';
import { instanceName } from '../../http-api/instance-name';
import { describe, schemaOf } from '../../http-api/openapi';
import { type BudgetOptions, SharedBudget, type Taking } from '../../network/shared-budget';
import { checkedBy } from '../../settings/own-words';
import type { Slot } from '../../settings/section';
import { readSlot } from '../../settings/slot';
import { monotonicMs } from '../../time/monotonic';
import type { DestinationRoutes, RoutesContext } from '../module';
import { sendWebhookSample } from './webhook-sample';
import { type WebhookSettings, webhookSection } from './webhook-section';
import { fullAnswer, tenantsAnswer, UNREACHABLE_ANSWER, type WebhookTestAnswer } from './webhook-test-answer';
import { Webhooks } from './webhooks';

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

interface OfInstance {
  readonly Params: { readonly instance: string };
}

const bodySchema = z.strictObject({ name: z.string().optional().describe('of a further, named webhook') });

/** Sends sample events to webhooks, for whoever sets them. */
export class WebhookTests implements DestinationRoutes {
  private readonly webhooks: Webhooks;
  private readonly tests = new SharedBudget(TESTS);

  constructor(private readonly context: RoutesContext) {
    this.webhooks = new Webhooks(context.config);
  }

  add(server: FastifyInstance): void {
    server.post<OfInstance>(
      '/webhook/test/:instance',
      {
        onRequest: this.context.guards.instance,
        bodyLimit: BODY_LIMIT,
        schema: {
          ...describe('delivery', 'Send one sample event to a webhook now; answers with what came back'),
          body: schemaOf(bodySchema),
        },
      },
      (request) => this.test(request),
    );
  }

  close(): Promise<void> {
    return this.webhooks.close();
  }

  private async test(request: FastifyRequest<OfInstance>): Promise<WebhookTestAnswer> {
    const { instances, guards } = this.context;
    const instance = instanceName(request.params.instance);
    const slot = slotOf(request.body);
    const place = takePlace(this.tests, instance);
    try {
      const webhook = readSlot(await instances.find(instance), slot);
      if (webhook === undefined) throw notFound(missing(instance, slot));
      const startedAt = monotonicMs();
      const { serverUrl } = this.context.config;
      const sample = { instance, slot, webhook, serverUrl, timeoutMs: TIMEOUT_MS };
      const record = await sendWebhookSample(this.webhooks, sample);
      if (guards.accessOf(request) === 'all') return fullAnswer(record);
      return await atTheSameTime(tenantsAnswer(record), startedAt);
    } finally {
      place.release();
    }
  }
}

function slotOf(body: unknown): Slot<WebhookSettings> {
  const parsed = checkedBy(bodySchema, body ?? {});
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
