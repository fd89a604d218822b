import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, HOST } from '../processes/ports';
import type { PrivateProcess } from '../processes/private-process';
import { AUTHORITY, files } from '../proxies/tls/front';
import { eventually } from '../signals/signals';
import { PrivateService } from './private-services';

/** With characters that an address has to encode. */
export const PASSWORD = 'pass word/@é';
const SLOTS = 16_384;

type RedisSettings = Readonly<Record<string, string>>;

/** Several redis-servers that belong together. */
abstract class PrivateRedises extends PrivateService {
  readonly uri: string;
  private readonly servers = new Map<number, PrivateProcess>();

  protected constructor(protected readonly ports: readonly number[]) {
    super();
    this.uri = `redis://:${encodeURIComponent(PASSWORD)}@${HOST}:${ports[0]}`;
  }

  /** A client of one of them, for as long as `work` takes. */
  protected async with<T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({
      host: HOST,
      port,
      password: PASSWORD,
      maxRetriesPerRequest: 1,
      commandTimeout: 8000,
    });
    redis.on('error', () => {});
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** Connections stay open and new ones are taken, but nothing answers, until `thaw`. */
  freeze(port: number): void {
    this.servers.get(port)?.signalGroup('SIGSTOP');
  }

  thaw(port: number): void {
    this.servers.get(port)?.signalGroup('SIGCONT');
  }

  async killOne(port: number): Promise<void> {
    await this.servers.get(port)?.end('SIGKILL');
  }

  protected async runRedis(port: number, settings: RedisSettings, ...first: string[]): Promise<void> {
    const all = { bind: HOST, dir: this.folder, save: '', requirepass: PASSWORD, ...settings };
    const server = await this.run({
      name: 'redis-server',
      args: [...first, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])],
      port,
      question: 'PING\r\n',
      // It wants a password first: it is there.
      isUp: (answer) => answer.length > 0,
    });
    this.servers.set(port, server);
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
  private constructor(private readonly members: ClusterNode[]) {
    super(members.map(({ port }) => port));
  }

  static start({ tls = false }: { readonly tls?: boolean } = {}): Promise<PrivateRedisCluster> {
    const member = (): Promise<ClusterNode> => freeMember(tls);
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

  /** Port of the node that owns everything under a prefix. */
  async ownerOf(prefix: string): Promise<number> {
    const slot = await this.slotOf(prefix);
    const ranges = (await this.ask(this.members, 'SLOTS')) as [number, number, [string, number]][];
    const owned = ranges.find(([first, last]) => first <= slot && slot <= last);
    if (owned === undefined) throw new Error(`nobody owns slot ${slot}`);
    return owned[2][1];
  }

  /** Starts a node that takes over when the owner fails; resolves when it follows. */
  async addReplicaOf(prefix: string): Promise<number> {
    const owner = this.member(await this.ownerOf(prefix));
    const replica = await freeMember(false);
    await this.runMember(replica);
    await this.meet(replica, owner);
    const id = String(await this.call(owner, 'MYID'));
    const knows = async (): Promise<true | undefined> =>
      String(await this.call(replica, 'NODES')).includes(id) ? true : undefined;
    await eventually(knows, 'a replica that knows its master');
    await this.call(replica, 'REPLICATE', id);
    this.members.push(replica);
    const follows = async (): Promise<true | undefined> => {
      const info = await this.with(replica.port, (redis) => redis.info('replication'));
      const known = String(await this.call(owner, 'NODES'));
      return info.includes('master_link_status:up') && known.includes(`slave ${id}`) ? true : undefined;
    };
    await eventually(follows, 'a replica that follows');
    return replica.port;
  }

  /** The replica takes over in good order. */
  async failOver(replica: number): Promise<void> {
    await this.call(this.member(replica), 'FAILOVER');
  }

  async untilOwnedBy(prefix: string, isRight: (owner: number) => boolean): Promise<void> {
    await eventually(
      async () => (isRight(await this.ownerOf(prefix)) ? true : undefined),
      'another owner of the slot',
      60_000,
    );
  }

  /** Moves everything under a prefix to another master, key by key, while it is in use. */
  async moveSlot(prefix: string): Promise<void> {
    const slot = await this.slotOf(prefix);
    const from = this.member(await this.ownerOf(prefix));
    const masters = this.members.slice(0, 3);
    const to = masters.find(({ port }) => port !== from.port) ?? from;
    const [fromId, toId] = [await this.call(from, 'MYID'), await this.call(to, 'MYID')];
    await this.call(to, 'SETSLOT', slot, 'IMPORTING', String(fromId));
    await this.call(from, 'SETSLOT', slot, 'MIGRATING', String(toId));
    await this.with(from.port, async (redis) => {
      for (;;) {
        const keys = (await redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 50)) as string[];
        if (keys.length === 0) return;
        await redis.call('MIGRATE', HOST, to.port, '', 0, 5000, 'AUTH', PASSWORD, 'KEYS', ...keys);
      }
    });
    for (const member of [to, from, ...masters])
      await this.call(member, 'SETSLOT', slot, 'NODE', String(toId));
  }

  private async slotOf(prefix: string): Promise<number> {
    return Number(await this.ask(this.members, 'KEYSLOT', `{${prefix}}`));
  }

  private member(port: number): ClusterNode {
    const found = this.members.find((member) => member.port === port);
    if (found === undefined) throw new Error(`no member listens on ${port}`);
    return found;
  }

  /** Of the first that answers: some may be gone or frozen. */
  private ask(members: readonly ClusterNode[], ...words: (string | number)[]): Promise<unknown> {
    return Promise.any(members.map((member) => this.call(member, ...words)));
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
      'cluster-node-timeout': '2000',
      masterauth: PASSWORD,
      'repl-diskless-sync-delay': '0',
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

async function freeMember(tls: boolean): Promise<ClusterNode> {
  return { port: await freePort(), busPort: await freePort(), tlsPort: tls ? await freePort() : undefined };
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

  /** The master says nothing any more; resolves when the replica has taken over. */
  async freezeMaster(): Promise<number> {
    const before = await this.masterPort();
    await this.untilAnotherMaster(async (port) => this.freeze(port));
    return before;
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
