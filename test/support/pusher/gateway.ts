import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { RelayGateway } from '../../../src/gateway/gateway';
import { MODULES } from '../../../src/modules';
import { createLogger } from '../../../src/observability/logging';
import { Metrics } from '../../../src/observability/metrics';
import { freePort, HOST } from '../processes/ports';
import type { Environment } from '../processes/relay';
import { eventually } from '../signals/signals';

export const API_KEY = 'operator-key-of-the-tests';

/** A gateway in this process, with names in Redis that no other test has. */
export class LocalGateway {
  private constructor(
    readonly url: string,
    readonly prefix: string,
    readonly metrics: Metrics,
    readonly redis: Redis,
    private readonly gateway: RelayGateway,
  ) {}

  static async start(env: Environment): Promise<LocalGateway> {
    const uri = process.env['REDIS_URI'] ?? '';
    const prefix = env['REDIS_PREFIX_KEY'] ?? `gateway-${randomBytes(6).toString('hex')}`;
    const port = await freePort();
    const { config } = MODULES.loadConfig(__dirname, {
      REDIS_URI: uri,
      REDIS_PREFIX_KEY: prefix,
      GATEWAY_HOST: HOST,
      GATEWAY_PORT: String(port),
      AUTHENTICATION_API_KEY: API_KEY,
      LOG_LEVEL: 'error',
      ...env,
    });
    const metrics = new Metrics();
    const gateway = new RelayGateway({
      modules: MODULES,
      config,
      settings: new Map(),
      metrics,
      log: createLogger(config.log),
    });
    await gateway.start();
    const harness = new LocalGateway(`http://${HOST}:${port}`, prefix, metrics, new Redis(uri), gateway);
    await eventually(
      async () => (await harness.get('/readyz')).status === 200 || undefined,
      'the gateway is ready',
    );
    return harness;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, { headers });
  }

  post(
    path: string,
    body: unknown,
    headers: Record<string, string> = { apikey: API_KEY },
  ): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** A metric as it stands in /metrics. */
  async metric(name: string): Promise<number> {
    const text = await (await this.get('/metrics')).text();
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    return line === undefined ? 0 : Number(line.slice(name.length + 1));
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    const keys = await this.redis.keys(`{${this.prefix}}*`);
    if (keys.length > 0) await this.redis.del(...keys);
    this.redis.disconnect();
  }
}
