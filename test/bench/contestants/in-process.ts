import { connect } from 'amqplib';
import axios from 'axios';
import { run, settings } from './settings';

/** What the core API gives a request by default (WEBHOOK_REQUEST_TIMEOUT_MS). */
const TIMEOUT_MS = 30_000;

interface CoreEvent {
  event: string;
  instance: string;
  data: unknown;
  date_time: string;
  sender: string;
  server_url: string;
  apikey: string | null;
}

/**
 * Webhooks as the core API sends them from its own process: a new axios instance for each event, which turns the
 * object into JSON, over Node's default agent. Kept out, in its favour: its database queries and log lines for
 * each event. The core API sets no limit to what it sends at once; here it has the others' limit.
 */
run(async () => {
  const { rabbitmq, queue, prefetch, url, concurrency } = settings();
  const connection = await connect(rabbitmq, { noDelay: true });
  const channel = await connection.createChannel();
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;

  async function send({ event, instance, data, date_time, sender, server_url, apikey }: CoreEvent) {
    const webhookData = {
      event,
      instance,
      data,
      destination: url.href,
      date_time,
      sender,
      server_url,
      apikey,
    };
    const httpService = axios.create({ baseURL: url.href, timeout: TIMEOUT_MS });
    await httpService.post('', webhookData);
  }

  function startNext(): void {
    while (running < concurrency) {
      const next = waiting.shift();
      if (next === undefined) return;
      running++;
      next().finally(() => {
        running--;
        startNext();
      });
    }
  }

  await channel.prefetch(prefetch);
  await channel.consume(queue, (message) => {
    if (message === null) return;
    waiting.push(() =>
      send(JSON.parse(message.content.toString()) as CoreEvent).then(
        () => channel.ack(message),
        () => channel.nack(message),
      ),
    );
    startNext();
  });
  return {
    close: async () => {
      await channel.close();
      await connection.close();
    },
  };
});
