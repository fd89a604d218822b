import { randomBytes } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { StoreUnavailableError } from '../errors';

export interface ReferenceKeys {
  readonly redis: Redis | Cluster;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
}

/** What all keys of what lies behind links begin with. */
export function baseOf({ prefix }: Pick<ReferenceKeys, 'prefix'>): string {
  return `{${prefix}}:references`;
}

/** Signs links: one for all workers and gateways, made by the first that needs it. */
export class LinkSecret {
  private secret: Promise<Buffer> | undefined;

  constructor(private readonly parts: ReferenceKeys) {}

  read(): Promise<Buffer> {
    this.secret ??= this.find().catch((error: unknown) => {
      this.secret = undefined;
      throw error;
    });
    return this.secret;
  }

  private async find(): Promise<Buffer> {
    const { redis } = this.parts;
    const key = `${baseOf(this.parts)}:secret`;
    await redis.set(key, randomBytes(32).toString('base64'), 'NX');
    const secret = await redis.get(key);
    // Whoever signs with an empty one lets everybody sign.
    if (!secret) throw new StoreUnavailableError('Redis lost the secret that signs links while it was made');
    return Buffer.from(secret, 'base64');
  }
}
