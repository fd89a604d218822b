import { type ConsumeMessage, connect } from 'amqplib';
import { Pool } from 'undici';
import { run, settings } from './settings';

/**
 * The least that moves events from RabbitMQ to a webhook: consume, POST, acknowledge. No retries, no identity, no
 * counting; an event that fails goes back to the queue. What the relay does beyond this is what its promises cost.
 */
run(async () => {
  const { rabbitmq, queue, prefetch, url, concurrency } = settings();
  const pool = new Pool(url.origin, { connections: concurrency });
  const connection = await connect(rabbitmq, { noDelay: true });
  const channel = await connection.createChannel();
  const headers = { 'content-type': 'application/json' };

  async function deliver(message: ConsumeMessage): Promise<void> {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: url.pathname,
      headers,
      body: message.content,
    });
    await body.dump();
    if (statusCode >= 200 && statusCode < 300) channel.ack(message);
    else channel.nack(message);
  }

  await channel.prefetch(prefetch);
  await channel.consume(queue, (message) => {
    if (message !== null) deliver(message).catch(() => channel.nack(message));
  });
  return {
    close: async () => {
      await channel.close();
      await connection.close();
    },
  };
});
