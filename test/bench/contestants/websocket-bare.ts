import { connect } from 'amqplib';
import { WebSocketServer } from 'ws';
import { run } from './settings';

/** The least that moves events from RabbitMQ to WebSocket clients: consume, send to each, acknowledge. */
run(async () => {
  const { RABBITMQ_URI = '', RABBITMQ_QUEUE = '', GATEWAY_PORT = '' } = process.env;
  const server = new WebSocketServer({ port: Number(GATEWAY_PORT), host: '127.0.0.1' });
  const connection = await connect(RABBITMQ_URI, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(250);
  await channel.consume(RABBITMQ_QUEUE, (message) => {
    if (message === null) return;
    for (const client of server.clients) client.send(message.content, { binary: false });
    channel.ack(message);
  });
  return {
    close: async () => {
      server.close();
      await connection.close();
    },
  };
});
