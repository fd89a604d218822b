import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { type CommandResult, runCommand } from '../processes/command';
import { CORE_KEY, CoreApiServer } from '../servers/core-api';
import { folderWith } from '../values/folders';

export interface StoredInstance {
  readonly instanceName: string;
  readonly [section: string]: unknown;
}

const AN_HOUR_MS = 3_600_000;
export const PUSHER = { appId: '1', key: 'k', secret: 's3cr3t', cluster: 'sa1', useTLS: true };
export const URL_OF_LOJA = 'https://example.com/loja';

/** A core API, and commands of a relay that is to take over from it. */
export class MovingWorld {
  readonly folder = folderWith();
  readonly env: Record<string, string> = {
    AUTHENTICATION_API_KEY: CORE_KEY,
    RABBITMQ_URI: 'amqp://127.0.0.1:1',
    REDIS_URI: process.env['REDIS_URI'] ?? '',
    REDIS_PREFIX_KEY: `moving-${randomBytes(6).toString('hex')}`,
  };

  private constructor(readonly core: CoreApiServer) {}

  static async start(): Promise<MovingWorld> {
    const world = new MovingWorld(await CoreApiServer.start());
    await world.say((redis, key) => redis.zadd(key, Date.now() + AN_HOUR_MS, 'a worker'));
    return world;
  }

  /** Otherwise one has said that it is there. */
  noWorker(): Promise<void> {
    return this.say((redis, key) => redis.del(key));
  }

  private async say(what: (redis: Redis, key: string) => Promise<unknown>): Promise<void> {
    const redis = new Redis(this.env['REDIS_URI'] ?? '');
    await what(redis, `{${this.env['REDIS_PREFIX_KEY']}}:present`);
    redis.disconnect();
  }

  async stop(): Promise<void> {
    await this.core.stop();
    this.folder.remove();
  }

  run(args: readonly string[], others: Record<string, string> = {}): Promise<CommandResult> {
    return runCommand(args, { ...this.env, ...others }, this.folder.path);
  }

  move(...args: string[]): Promise<CommandResult> {
    return this.run(['settings', 'import', '--from-core', this.core.url, ...args]);
  }

  async stored(): Promise<StoredInstance[]> {
    const { stdout } = await this.run(['settings', 'export']);
    return JSON.parse(stdout) as StoredInstance[];
  }

  /** An instance with a webhook and more. */
  shop(): void {
    this.core.add('loja', {
      webhook: {
        url: URL_OF_LOJA,
        headers: { 'x-key': 's3cr3t' },
        byEvents: true,
        events: ['MESSAGES_UPSERT'],
      },
      pusher: PUSHER,
      rabbitmq: { events: ['CALL'] },
      websocket: { enabled: false },
    });
  }
}
