import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Cleanup } from './cleanup';

const SCAN_COUNT = 1000;

/** The Redis of the benchmark: what it holds of ours, and how much memory that takes. */
export class BenchRedis {
  /** A name of this run, so that nothing of anybody else's is touched. */
  readonly prefix = `relay-bench-${process.pid}`;

  private constructor(
    readonly uri: string,
    private readonly redis: Redis,
    readonly version: string,
  ) {}

  static async connect(uri: string, cleanup: Cleanup): Promise<BenchRedis> {
    const redis = new Redis(uri, { maxRetriesPerRequest: 3 });
    const version = numberOf(await redis.info('server'), 'redis_version');
    const bench = new BenchRedis(uri, redis, version);
    cleanup.add(async () => {
      await bench.clear();
      redis.disconnect();
    });
    return bench;
  }

  /** Forgets everything of this run; resolves when its memory is free. */
  async clear(): Promise<void> {
    // Our keys begin with the prefix, or with the prefix in braces.
    const pattern = `*${this.prefix}*`;
    for await (const keys of this.redis.scanStream({ match: pattern, count: SCAN_COUNT })) {
      if (keys.length > 0) await this.redis.unlink(keys);
    }
    while (numberOf(await this.redis.info('memory'), 'lazyfree_pending_objects') !== '0') await delay(20);
  }

  /** What is known of an ordered destination; nothing where it is none. */
  async orderOf(destination: string): Promise<string> {
    return (await this.redis.hget(`{${this.prefix}}:order`, destination)) ?? '';
  }

  /** Bytes in use, without the buffers of clients and of the append-only file, which come and go. */
  async usedBytes(): Promise<number> {
    while (numberOf(await this.redis.info('persistence'), 'aof_rewrite_in_progress') === '1') await delay(50);
    const memory = await this.redis.info('memory');
    const bytes = (name: string) => Number(numberOf(memory, name));
    return bytes('used_memory') - bytes('mem_clients_normal') - bytes('mem_aof_buffer');
  }

  /** Processor time that it used so far, in ms: what a busy machine changes least. */
  async cpuMs(): Promise<number> {
    const cpu = await this.redis.info('cpu');
    return 1000 * (Number(numberOf(cpu, 'used_cpu_user')) + Number(numberOf(cpu, 'used_cpu_sys')));
  }
}

function numberOf(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
}
