import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { Pool } from 'undici';
import { run, sqsSettings } from './settings';

const BATCH = 10;

/**
 * The least that moves events from SQS to a webhook: receive, POST, delete, in as many loops as the relay polls. No
 * retries, no identity, no counting, and a loop waits for the slowest of its batch.
 */
run(async () => {
  const { endpoint, region, queueUrl, pollers, url, concurrency } = sqsSettings();
  const sockets = { keepAlive: true, maxSockets: 128 };
  const client = new SQSClient({
    region,
    endpoint,
    useQueueUrlAsEndpoint: false,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: { httpAgent: sockets },
  });
  const pool = new Pool(url.origin, { connections: concurrency });
  const headers = { 'content-type': 'application/json' };
  let stopped = false;

  async function deliver({ Body = '' }: Message): Promise<void> {
    const { body } = await pool.request({ method: 'POST', path: url.pathname, headers, body: Body });
    await body.dump();
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: 1 }),
      );
      if (Messages.length === 0) continue;
      await Promise.all(Messages.map(deliver));
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  }

  const loops = Promise.all(Array.from({ length: pollers }, loop));
  loops.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
  return {
    close: async () => {
      stopped = true;
      await loops;
    },
  };
});
