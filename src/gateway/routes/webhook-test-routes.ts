import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AttemptRecord } from '../../pipeline/delivery';
import type { WebhookSettings } from '../../settings/schema';
import type { InstanceSettings } from '../../settings/settings-editor';
import { readSlot, type Slot } from '../../settings/slot';
import type { Guards } from '../guards';
import { badRequest, HttpError, notFound } from '../http-errors';
import { instanceName } from '../instance-name';
import { describe, schemaOf } from '../openapi';

export interface WebhookTestRoutesParts {
  readonly instances: InstanceSettings;
  readonly guards: Guards;
  /** Sends one sample event now, and does not try again. */
  readonly sendSample: (instance: string, slot: Slot, webhook: WebhookSettings) => Promise<AttemptRecord>;
}

/** Tests under way at once. */
const MAX_TESTS = 20;

const bodySchema = z.strictObject({ name: z.string().optional().describe('of a further, named webhook') });

export function webhookTestRoutes(server: FastifyInstance, parts: WebhookTestRoutesParts): void {
  const { instances, guards, sendSample } = parts;
  let running = 0;
  server.post<{ Params: { instance: string } }>(
    '/webhook/test/:instance',
    {
      onRequest: guards.instance,
      schema: {
        ...describe('delivery', 'Send one sample event to a webhook now; answers with what came back'),
        body: schemaOf(bodySchema),
      },
    },
    async ({ params, body }) => {
      const instance = instanceName(params.instance);
      const parsed = bodySchema.safeParse(body ?? {});
      if (!parsed.success)
        throw badRequest(['body: may have "name", the name of a webhook, and nothing else']);
      const { name } = parsed.data;
      const slot: Slot = name === undefined ? { section: 'webhook' } : { section: 'webhooks', name };
      const webhook = readSlot(await instances.find(instance), slot);
      if (webhook === undefined || !('url' in webhook)) {
        throw notFound(`${instance} has no webhook${name === undefined ? '' : ` ${name}`}: set one first`);
      }
      if (running >= MAX_TESTS) throw new HttpError(429, ['too many tests are under way: try again'], 1);
      running++;
      try {
        return answerOf(await sendSample(instance, slot, webhook));
      } finally {
        running--;
      }
    },
  );
}

function answerOf({ durationMs, outcome }: AttemptRecord): object {
  const { kind, ...rest } = outcome;
  return { outcome: kind, durationMs, ...rest };
}
