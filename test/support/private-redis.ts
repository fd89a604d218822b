import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, HOST } from './ports';
import { PrivateService } from './private-services';
import { eventually } from './signals';
import { AUTHORITY, files } from './tls/front';

/** With characters that an address has to encode. */
export const PASSWORD = 'pass word/@é';
const SLOTS = 16_384;

type RedisSettings = Readonly<Record<string, string>>;

/** Several redis-servers that belong together. */
abstract class PrivateRedises extends PrivateService {
  readonly uri: string;

  protected constructor(protected readonly ports: readonly number[]) {
    super();
    this.uri = `redis://:${encodeURIComponent(PASSWORD)}@${HOST}:${ports[0]}`;
  }

  /** A client of one of them, for as long as `work` takes. */
  protected async with<T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({ host: HOST, port, password: PASSWORD, maxRetriesPerRequest: 1 });
    redis.on('error', () => {});
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  protected runRedis(port: number, settings: RedisSettings, ...first: string[]): Promise<void> {
    const all = { bind: HOST, dir: this.folder, save: '', requirepass: PASSWORD, ...settings };
    return this.run({
      name: 'redis-server',
      args: [...first, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])],
      port,
      question: 'PING\r\n',
      // It wants a password first: it is there.
      isUp: (answer) => answer.length > 0,
    });
  }
}

interface ClusterNode {
  readonly port: number;
  /** For the other nodes. */
  readonly busPort: number;
  /** What clients with TLS connect to; `port` is ours alone then. */
  readonly tlsPort: number | undefined;
}

/** Three masters that share the slots; with TLS where it is asked for, as `localhost`. */
export class PrivateRedisCluster extends PrivateRedises {
  private constructor(private readonly members: readonly ClusterNode[]) {
    super(members.map(({ port }) => port));
  }

  static start({ tls = false }: { readonly tls?: boolean } = {}): Promise<PrivateRedisCluster> {
    const member = async (): Promise<ClusterNode> => ({
      port: await freePort(),
      busPort: await freePort(),
      tlsPort: tls ? await freePort() : undefined,
    });
    return PrivateService.begin(
      async () => new PrivateRedisCluster([await member(), await member(), await member()]),
    );
  }

  /** `REDIS_CLUSTER_NODES`. */
  get nodes(): string {
    return this.members
      .map(({ port, tlsPort }) => (tlsPort === undefined ? `${HOST}:${port}` : `localhost:${tlsPort}`))
      .join(',');
  }

  protected async launch(): Promise<void> {
    const [first] = this.members;
    const share = Math.ceil(SLOTS / this.members.length);
    for (const [index, member] of this.members.entries()) {
      await this.runMember(member);
      const last = Math.min((index + 1) * share, SLOTS) - 1;
      await this.call(member, 'ADDSLOTSRANGE', index * share, last);
      if (first !== undefined && member !== first) await this.meet(member, first);
    }
    for (const member of this.members) await this.untilComplete(member);
  }

  private runMember({ port, busPort, tlsPort }: ClusterNode): Promise<void> {
    const { cert, key } = files('localhost');
    const tls = {
      'tls-port': String(tlsPort),
      'tls-cluster': 'yes',
      'tls-auth-clients': 'no',
      'tls-ca-cert-file': AUTHORITY,
      'tls-cert-file': cert,
      'tls-key-file': key,
      'cluster-announce-hostname': 'localhost',
      'cluster-preferred-endpoint-type': 'hostname',
    };
    return this.runRedis(port, {
      port: String(port),
      'cluster-enabled': 'yes',
      'cluster-port': String(busPort),
      'cluster-config-file': `nodes-${port}.conf`,
      ...(tlsPort === undefined ? {} : tls),
    });
  }

  private meet(member: ClusterNode, { port, busPort, tlsPort }: ClusterNode): Promise<unknown> {
    return this.call(member, 'MEET', HOST, tlsPort ?? port, busPort);
  }

  private async untilComplete(member: ClusterNode): Promise<void> {
    const isComplete = async (): Promise<true | undefined> =>
      String(await this.call(member, 'INFO')).includes('cluster_state:ok') ? true : undefined;
    await eventually(isComplete, 'a cluster with all its slots');
  }

  private call({ port }: ClusterNode, ...words: (string | number)[]): Promise<unknown> {
    return this.with(port, (redis) => redis.call('CLUSTER', ...words));
  }
}

const GROUP = 'relay-group';

/** A master, a replica, and a Sentinel that watches them. */
export class PrivateSentinel extends PrivateRedises {
  readonly group = GROUP;

  private constructor(protected override readonly ports: readonly [number, number, number]) {
    super(ports);
  }

  static start(): Promise<PrivateSentinel> {
    return PrivateService.begin(
      async () => new PrivateSentinel([await freePort(), await freePort(), await freePort()]),
    );
  }

  /** `REDIS_SENTINELS`. */
  get sentinels(): string {
    return `${HOST}:${this.ports[2]}`;
  }

  protected async launch(): Promise<void> {
    const [master, replica, sentinel] = this.ports;
    const shared = { masterauth: PASSWORD, 'repl-diskless-sync-delay': '0' };
    await this.runRedis(master, { ...shared, port: String(master) });
    await this.runRedis(replica, { ...shared, port: String(replica), replicaof: `${HOST} ${master}` });
    const file = join(this.folder, 'sentinel.conf');
    writeFileSync(
      file,
      [
        `sentinel monitor ${GROUP} ${HOST} ${master} 1`,
        `sentinel auth-pass ${GROUP} "${PASSWORD}"`,
        `sentinel down-after-milliseconds ${GROUP} 1000`,
        '',
      ].join('\n'),
    );
    await this.runRedis(sentinel, { port: String(sentinel) }, file, '--sentinel');
    await eventually(async () => ((await this.isReplicated()) ? true : undefined), 'a replica that follows');
  }

  /** The replica takes over, as the Sentinel is asked for it; resolves when it says so. */
  failOver(): Promise<void> {
    return this.untilAnotherMaster(() => this.ask('FAILOVER', GROUP));
  }

  /** The master is gone at once; resolves when the replica has taken over. */
  loseMaster(): Promise<void> {
    return this.untilAnotherMaster((port) =>
      this.with(port, (redis) => redis.call('SHUTDOWN', 'NOSAVE', 'NOW')).catch(() => {}),
    );
  }

  private async untilAnotherMaster(change: (port: number) => Promise<unknown>): Promise<void> {
    const before = await this.masterPort();
    await change(before);
    await eventually(async () => ((await this.masterPort()) === before ? undefined : true), 'another master');
  }

  private async isReplicated(): Promise<boolean> {
    const info = await this.with(this.ports[1], (redis) => redis.info('replication'));
    const known = (await this.ask('REPLICAS', GROUP)) as unknown[];
    return info.includes('master_link_status:up') && known.length > 0;
  }

  private async masterPort(): Promise<number> {
    return Number(((await this.ask('GET-MASTER-ADDR-BY-NAME', GROUP)) as string[])[1]);
  }

  private ask(...words: string[]): Promise<unknown> {
    return this.with(this.ports[2], (redis) => redis.call('SENTINEL', ...words));
  }
}
