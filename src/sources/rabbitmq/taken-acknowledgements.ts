import type { Channel } from 'amqplib';
import type { Session } from './session';

/** Whoever else consumes the queue gets its messages first. */
const AFTER_ALL_OTHERS = -1000;
/** RabbitMQ 3 hands out nothing over a subscription whose credit is 0. */
const FOR_NOTHING = { 'x-credit': { credit: { '!': 'int64', value: 0 }, drain: false } };
/** From this version on it refuses such a subscription. */
const NEEDS_PREFETCH_FROM = 4;

type Asked = Pick<Session, 'answer' | 'openChannel' | 'closeChannel' | 'isLost' | 'version'>;

/**
 * Resolves once `queues` have what was acknowledged over a channel. A quorum queue takes at most 32 commands of a channel at a time
 * (each frame is one): RabbitMQ keeps the rest in its channel until the queue has answered, and forgets it where the channel is closed
 * before, so that messages which were acknowledged come again. A queue answers a new subscription, and its end, only after what was
 * sent to it before; in between the channel sends what it kept.
 *
 * RabbitMQ 4 may hand out one message over the subscription, which goes back with the channel. A queue counts what came back, and
 * drops a message over its limit: RabbitMQ 3 is asked for a subscription that is handed nothing.
 */
export async function untilTaken(
  session: Asked,
  channel: Channel,
  acknowledged: Iterable<string>,
): Promise<void> {
  const queues = [...acknowledged];
  // Where no other channel can be had they are asked all the same.
  const willing = queues.length > 1 ? await thatAnswer(session, queues).catch(() => queues) : queues;
  if (willing.length > 0) await ask(session, channel, willing);
}

/**
 * A refusal closes the channel, and with it the broker forgets what it kept for all other queues: one that was deleted, or that
 * somebody consumes alone. So a channel is asked first that has nothing to lose, and halves of what it was asked where one is refused.
 */
async function thatAnswer(session: Asked, queues: readonly string[]): Promise<readonly string[]> {
  const channel = await session.openChannel();
  try {
    // What is handed out would come back twice.
    if (isHandedNothing(session)) await ask(session, channel, queues);
    else await Promise.all(queues.map((queue) => session.answer(channel.checkQueue(queue))));
    await session.closeChannel(channel, []);
    return queues;
  } catch {
    if (session.isLost || queues.length === 1) return [];
    const middle = Math.ceil(queues.length / 2);
    const halves = [queues.slice(0, middle), queues.slice(middle)];
    return (await Promise.all(halves.map((half) => thatAnswer(session, half)))).flat();
  }
}

async function ask(session: Asked, channel: Channel, queues: readonly string[]): Promise<void> {
  const how = isHandedNothing(session) ? { arguments: FOR_NOTHING } : { priority: AFTER_ALL_OTHERS };
  await session.answer(channel.prefetch(1));
  await Promise.all(
    queues.map(async (queue) => {
      const ignored = (): void => {};
      const { consumerTag } = await session.answer(channel.consume(queue, ignored, how));
      await session.answer(channel.cancel(consumerTag));
    }),
  );
  // A subscription's end is answered before the queue knows of it: this is answered after that.
  await session.answer(channel.prefetch(1));
}

function isHandedNothing({ version }: Asked): boolean {
  return version.major < NEEDS_PREFETCH_FROM;
}
