import { connect } from 'amqplib';
import Pusher from 'pusher';
import { run } from './settings';

/**
 * Events to Pusher as the core API sends them: one `trigger` of the library with its defaults for each event, over
 * Node's own agent, which keeps connections. In its favour: as many at once as the relay makes requests, and an event
 * counts as done as soon as Pusher has answered.
 */
run(async () => {
  const pusher = new Pusher({
    appId: text('PUSHER_GLOBAL_APP_ID'),
    key: text('PUSHER_GLOBAL_KEY'),
    secret: text('PUSHER_GLOBAL_SECRET'),
    host: text('PUSHER_GLOBAL_HOST'),
    port: text('PUSHER_GLOBAL_PORT'),
    useTLS: false,
  });
  const connection = await connect(text('RABBITMQ_URI'), { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(Number(text('DELIVERY_CONCURRENCY_PER_DESTINATION')));
  await channel.consume(text('RABBITMQ_QUEUE'), (message) => {
    if (message === null) return;
    const event = JSON.parse(message.content.toString()) as { event: string; instance: string };
    pusher.trigger(event.instance, event.event, { ...event, destination: text('PUSHER_GLOBAL_APP_ID') }).then(
      async (answer) => {
        await answer.text();
        channel.ack(message);
      },
      () => channel.nack(message),
    );
  });
  return {
    close: async () => {
      await channel.close();
      await connection.close();
    },
  };
});

function text(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
