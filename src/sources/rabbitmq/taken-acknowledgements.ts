import type { Channel } from 'amqplib';
import type { Session } from './session';

/** Whoever else consumes the queue gets its messages first. */
const AFTER_ALL_OTHERS = -1000;

/**
 * Resolves once `queues` have what was acknowledged over a channel. A quorum queue takes at most 32 commands of a channel at a time
 * (each frame is one): RabbitMQ keeps the rest in its channel until the queue has answered, and forgets it where the channel is closed
 * before, so that messages which were acknowledged come again. A queue answers a new subscription, and its end, only after what was
 * sent to it before; in between the channel sends what it kept.
 *
 * The subscription may be handed one message, which goes back with the channel.
 */
export async function untilTaken(
  session: Pick<Session, 'answer'>,
  channel: Channel,
  queues: Iterable<string>,
): Promise<void> {
  const names = [...queues];
  if (names.length === 0) return;
  await session.answer(channel.prefetch(1));
  await Promise.all(
    names.map(async (queue) => {
      const ignored = (): void => {};
      const { consumerTag } = await session.answer(
        channel.consume(queue, ignored, { priority: AFTER_ALL_OTHERS }),
      );
      await session.answer(channel.cancel(consumerTag));
    }),
  );
  // A subscription's end is answered before the queue knows of it: this is answered after that.
  await session.answer(channel.prefetch(1));
}
