import type { Channel } from 'amqplib';

/** Closes a channel. Its own promise is never settled where the connection goes meanwhile. */
export async function closeChannel(channel: Channel): Promise<void> {
  const closed = new Promise<void>((resolve) => channel.once('close', resolve));
  await Promise.race([channel.close(), closed]);
}
