/** Where the private, or given, RabbitMQ and Redis are. */
export interface Brokers {
  readonly rabbitUri: string;
  readonly redisUri: string;
  readonly frameMax: number;
}

/** Works with every broker: RabbitMQ 4.1 and later refuses less. */
const FRAME_MAX = 8192;

/** `npm run demo` sets both variables. */
export function brokersFrom(environment: NodeJS.ProcessEnv): Brokers {
  const { RABBITMQ_URI: rabbitUri, REDIS_URI: redisUri } = environment;
  if (!rabbitUri || !redisUri)
    throw new Error('RABBITMQ_URI and REDIS_URI must be set: start this as npm run demo');
  return { rabbitUri, redisUri, frameMax: FRAME_MAX };
}

/** An address without a password that is anybody's secret. */
export function display(uri: string): string {
  const url = new URL(uri);
  if (url.password !== '' && url.password !== 'guest') url.password = '***';
  return url.href;
}
