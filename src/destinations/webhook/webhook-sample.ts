import { parseEnvelope } from '../../events/envelope';
import { sampleEvent } from '../../events/sample';
import { type AttemptRecord, deliveryId, destinationKey } from '../../pipeline/delivery';
import type { WebhookSettings } from '../../settings/schema';
import type { Slot } from '../../settings/slot';
import { instanceId } from '../destination-ids';
import type { Webhooks } from './webhooks';

const EVENT = 'messages.upsert';

/** Sends one sample event to a webhook of an instance, as a delivery would be. */
export async function sendWebhookSample(
  webhooks: Webhooks,
  instance: string,
  slot: Slot,
  settings: WebhookSettings,
): Promise<AttemptRecord> {
  const id = instanceId('webhook', instance, slot.section === 'webhooks' ? slot.name : undefined);
  const destination = webhooks.destination(id, settings);
  const envelope = parseEnvelope(sampleEvent(instance, EVENT, 0), { routingKey: EVENT });
  const at = Date.now();
  const running = destination.start(
    { id: deliveryId(envelope.id, destinationKey(id)), envelope, destination },
    1,
  );
  const timer = setTimeout(() => running.abort('timeout'), destination.timeoutMs);
  try {
    const outcome = await running.outcome;
    return { attempt: 1, at, durationMs: Date.now() - at, outcome };
  } finally {
    clearTimeout(timer);
  }
}
