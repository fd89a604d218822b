/** The baselines are told what to do by the relay's own variables. */
export interface Settings extends RedisSettings {
  readonly rabbitmq: string;
  readonly queue: string;
  readonly prefetch: number;
  readonly url: URL;
  readonly concurrency: number;
}

export interface RedisSettings {
  readonly redis: string;
  readonly redisPrefix: string;
}

export function settings(): Settings {
  return {
    ...redisSettings(),
    rabbitmq: text('RABBITMQ_URI'),
    queue: text('RABBITMQ_QUEUE'),
    prefetch: Number(text('RABBITMQ_PREFETCH')),
    url: new URL(text('WEBHOOK_GLOBAL_URL')),
    concurrency: Number(text('DELIVERY_CONCURRENCY_PER_DESTINATION')),
  };
}

export function redisSettings(): RedisSettings {
  return { redis: text('REDIS_URI'), redisPrefix: text('REDIS_PREFIX_KEY') };
}

export interface SqsBareSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly queueUrl: string;
  readonly pollers: number;
  readonly url: URL;
  readonly concurrency: number;
}

export function sqsSettings(): SqsBareSettings {
  return {
    endpoint: text('SQS_ENDPOINT'),
    region: text('SQS_REGION'),
    queueUrl: text('SQS_QUEUE_URLS'),
    pollers: Number(text('BENCH_POLLERS')),
    url: new URL(text('WEBHOOK_GLOBAL_URL')),
    concurrency: Number(text('DELIVERY_CONCURRENCY_PER_DESTINATION')),
  };
}

function text(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** Ends when told to, after `close`; the source maps that tests want would only slow the baselines down. */
export function run(start: () => Promise<{ close(): Promise<unknown> }>): void {
  process.setSourceMapsEnabled(false);
  const started = start();
  started.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
  process.on('SIGTERM', () => {
    started.then(({ close }) => close()).finally(() => process.exit());
  });
}
