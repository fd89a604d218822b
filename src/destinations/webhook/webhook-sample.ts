import { parseEnvelope } from '../../events/envelope';
import { sampleEvent } from '../../events/sample';
import { type AttemptRecord, deliveryId, destinationKey } from '../../pipeline/delivery';
import type { Slot } from '../../settings/section';
import { instanceId } from '../destination-ids';
import type { WebhookSettings } from './webhook-section';
import type { Webhooks } from './webhooks';

const EVENT = 'messages.upsert';

export interface WebhookSample {
  readonly instance: string;
  readonly slot: Slot<WebhookSettings>;
  readonly webhook: WebhookSettings;
  readonly serverUrl: string;
  /** The attempt ends after this, where the webhook's own limit is not shorter. */
  readonly timeoutMs: number;
}

/** Sends one sample event to a webhook of an instance, as a delivery would be. */
export async function sendWebhookSample(webhooks: Webhooks, sample: WebhookSample): Promise<AttemptRecord> {
  const { instance, slot, webhook, serverUrl } = sample;
  const id = instanceId('webhook', instance, slot.name);
  const destination = webhooks.destination(id, webhook);
  const body = sampleEvent({ instance, event: EVENT, index: 0, serverUrl });
  const envelope = parseEnvelope(body, { routingKey: EVENT });
  const at = Date.now();
  const startedAt = performance.now();
  const running = destination.start(
    { id: deliveryId(envelope.id, destinationKey(id)), envelope, destination },
    1,
  );
  const timeoutMs = Math.min(destination.timeoutMs, sample.timeoutMs);
  const timer = setTimeout(() => running.abort('timeout'), timeoutMs);
  try {
    const outcome = await running.outcome;
    return { attempt: 1, at, durationMs: Math.round(performance.now() - startedAt), outcome };
  } finally {
    clearTimeout(timer);
  }
}
