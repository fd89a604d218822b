import { randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { Redis } from 'ioredis';
import { HOST } from '../processes/ports';
import { type Environment, RelayProcess } from '../processes/relay';

export const API_KEY = 'operator-key-of-the-tests';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed; undefined where it is no JSON. */
  readonly body: unknown;
}

export interface HttpQuestion {
  /** Sent as JSON where it is not text. */
  readonly body?: unknown;
  /** Null: none is sent. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One gateway process with keys of its own in Redis. */
export class GatewayHarness {
  readonly prefix = `gateway-${randomBytes(6).toString('hex')}`;
  readonly processes: RelayProcess[] = [];
  private readonly redisUri: string;

  private constructor(private readonly given: Environment) {
    this.redisUri = given['REDIS_URI'] ?? process.env['REDIS_URI'] ?? '';
    if (this.redisUri === '') throw new Error('REDIS_URI is not set: start the tests with npm test');
  }

  static async start(env: Environment = {}): Promise<GatewayHarness> {
    const harness = new GatewayHarness(env);
    await harness.startProcess();
    return harness;
  }

  get env(): Environment {
    return {
      AUTHENTICATION_API_KEY: API_KEY,
      REDIS_URI: this.redisUri,
      REDIS_PREFIX_KEY: this.prefix,
      SHUTDOWN_TIMEOUT_SECONDS: '5',
      LOG_FORMAT: 'json',
      ...this.given,
    };
  }

  /** The process started last. */
  get gateway(): RelayProcess {
    const last = this.processes.at(-1);
    if (last === undefined) throw new Error('no gateway was started');
    return last;
  }

  get url(): string {
    return `http://${HOST}:${this.gateway.gatewayPort}`;
  }

  /** A further gateway with the same Redis. */
  async startProcess(env: Environment = {}): Promise<RelayProcess> {
    const started = await RelayProcess.launch({ ...this.env, ...env }, 'gateway');
    this.processes.push(started);
    await started.untilReady();
    return started;
  }

  /** Kills the gateway and starts another one on its port. */
  async replaceProcess(): Promise<RelayProcess> {
    const { gatewayPort } = this.gateway;
    await this.gateway.kill();
    return this.startProcess({ GATEWAY_PORT: String(gatewayPort) });
  }

  ask(method: string, path: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
    return ask(this.gateway.gatewayPort, method, path, question);
  }

  /** A connection to the same Redis; closed by the test. */
  connectRedis(): Redis {
    return new Redis(this.redisUri, { maxRetriesPerRequest: 1 });
  }

  /** What lies in Redis for an instance, as JSON; null: nothing. */
  async stored(redis: Redis, instance: string): Promise<string | null> {
    const text = await redis.hget(`{${this.prefix}}:settings`, instance);
    return text === null ? null : JSON.stringify((JSON.parse(text) as { settings: unknown }).settings);
  }

  /** Nothing stays: no process, no key. */
  async close(): Promise<void> {
    await Promise.all(this.processes.filter(({ isRunning }) => isRunning).map((each) => each.kill()));
    const redis = this.connectRedis();
    redis.on('error', () => {});
    try {
      for await (const keys of redis.scanStream({ match: `{${this.prefix}}:*`, count: 1000 })) {
        if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
      }
    } finally {
      redis.disconnect();
    }
  }
}

/** Sends a request as it stands, without what clients put right. */
export function ask(
  port: number,
  method: string,
  path: string,
  { body, key = API_KEY, headers = {} }: HttpQuestion = {},
): Promise<HttpAnswer> {
  const bytes = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const all = {
    ...(bytes === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(bytes)) }),
    ...(key === null ? {} : { apikey: key }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host: HOST, port, method, path, headers: all, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: parsed(text),
        });
      });
    });
    sent.on('error', reject);
    sent.end(bytes);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An answer without the warning that an instance's name is new: nearly every test sets something for the first time. */
export function forKnownInstance(answer: HttpAnswer): HttpAnswer {
  const { warnings = [], ...rest } = (answer.body ?? {}) as { readonly warnings?: readonly string[] };
  if (warnings.length === 0) return answer;
  const others = warnings.filter((warning) => !warning.startsWith('instance: nothing was set'));
  return { ...answer, body: { ...rest, ...(others.length > 0 ? { warnings: others } : {}) } };
}

/** What every error of the gateway looks like. */
export function errorShape(status: number, error: string, message: unknown = expect.anything()): object {
  return { status, error, response: { message } };
}
