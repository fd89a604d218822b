import type { FastifyInstance, FastifyRequest } from 'fastify';
import { unauthorized } from '../../../http-api/http-errors';
import { describe } from '../../../http-api/openapi';
import type { AppAuthorizer, PusherWebhook } from '../subscription-auth';
import type { KnownApp } from './app-index';
import { keepRawBodies } from './pusher-body';

/** An app that webhooks may come from. */
export interface WebhookApp {
  readonly app: KnownApp;
  readonly authorizer: AppAuthorizer;
}

export interface PusherWebhookRoutesParts {
  /** Those with this id and key: instances may have set them with different secrets. */
  readonly appsOf: (appId: string, key: string) => Promise<readonly WebhookApp[]>;
  /** Called each time that a webhook is sent; rejects where it must be sent again. */
  readonly take: (app: KnownApp, webhook: PusherWebhook, signature: string) => Promise<void>;
}

/** One webhook tells many events, but only their names, channels and users. */
const BODY_LIMIT = 262_144;

/** Pusher's own webhooks. No key: their signature is checked on the body as it came. */
export function pusherWebhookRoutes(server: FastifyInstance, parts: PusherWebhookRoutesParts): void {
  void server.register(async (scope) => {
    keepRawBodies(scope);
    scope.post<{ Params: { appId: string } }>(
      '/pusher/webhook/:appId',
      {
        bodyLimit: BODY_LIMIT,
        // Before the body is read: what names no app of ours costs no memory.
        onRequest: async (request) => {
          const key = textOf(request.headers['x-pusher-key']);
          if (textOf(request.headers['x-pusher-signature']) === undefined || key === undefined) {
            throw unauthorized();
          }
          if ((await parts.appsOf(request.params.appId, key)).length === 0) throw unauthorized();
        },
        schema: {
          ...describe('pusher', "Receive Pusher's own webhooks; signed by the app's secret"),
          security: [],
        },
      },
      async (request) => {
        const found = await verify(parts, request.params.appId, request);
        if (found === undefined) throw unauthorized();
        await parts.take(found.app, found.webhook, String(request.headers['x-pusher-signature']));
        return {};
      },
    );
  });
}

async function verify(
  { appsOf }: PusherWebhookRoutesParts,
  appId: string,
  { headers, body }: FastifyRequest,
): Promise<{ readonly app: KnownApp; readonly webhook: PusherWebhook } | undefined> {
  if (!Buffer.isBuffer(body)) return undefined;
  const [key, signature] = [textOf(headers['x-pusher-key']), textOf(headers['x-pusher-signature'])];
  if (key === undefined || signature === undefined) return undefined;
  const signed = { 'x-pusher-key': key, 'x-pusher-signature': signature };
  for (const { app, authorizer } of await appsOf(appId, key)) {
    const webhook = authorizer.webhook(signed, body);
    if (webhook !== undefined) return { app, webhook };
  }
  return undefined;
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
