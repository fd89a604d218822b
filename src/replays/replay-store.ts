import { randomBytes } from 'node:crypto';
import { fromStore, RelayError } from '../errors';
import type { RelayRedis } from '../redis/relay-redis';
import { defineScripts } from '../redis/scripts';

/** What a replay goes through: dead letters, to deliver them again or to remove them for good, or the delivery log. */
export const REPLAYED = ['dead-letters', 'deliveries', 'dead-letters-removed'] as const;

/** What was asked for. Times in the filter are fixed moments. */
export interface ReplaySpec {
  readonly what: (typeof REPLAYED)[number];
  readonly filter: Readonly<Record<string, string | number>>;
  readonly perSecond: number;
}

/** How far a replay is. */
export interface Progress {
  /** Looked at so far. */
  readonly seen: number;
  /** Will be delivered again, under their own ids; or are removed. */
  readonly replayed: number;
  /** Match, and cannot be: their bodies are not kept. */
  readonly withoutBody: number;
  /** Match, and need not be: they wait for their next attempt, or were replayed by somebody else. */
  readonly needless: number;
  /** Where the process that continues it begins. */
  readonly cursor: string;
}

export type ReplayState = 'running' | 'done' | 'cancelled' | 'failed';

export interface Replay {
  readonly id: string;
  readonly spec: ReplaySpec;
  readonly state: ReplayState;
  readonly progress: Progress;
  /** Epoch milliseconds. */
  readonly begun: number;
  readonly ended: number | undefined;
  /** Why it failed. */
  readonly problem: string;
}

export const NO_PROGRESS: Progress = { seen: 0, replayed: 0, withoutBody: 0, needless: 0, cursor: '' };

/** As many replays are under way as may be. */
export class TooManyReplaysError extends RelayError {
  constructor() {
    super('TOO_MANY_REPLAYS', 'too many replays are under way: cancel some, or wait');
  }
}

export interface ReplayStoreParts {
  readonly redis: RelayRedis;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
}

/** A claim outlives its holder by this. Longer than the longest pause between two steps. */
export const CLAIM_MS = 30_000;
const KEPT_MS = 7 * 86_400_000;

type Scripts = Readonly<
  Record<
    'relayReplayBegin' | 'relayReplayClaim' | 'relayReplayStep' | 'relayReplayEnd' | 'relayReplayRelease',
    (args: readonly (string | number)[]) => Promise<unknown>
  >
>;

/** Replays as they lie in Redis: asked for by anybody, worked on by one process at a time, which may be another one later. */
export class ReplayStore {
  private readonly prefix: string;
  private readonly scripts: Scripts;

  constructor(private readonly parts: ReplayStoreParts) {
    defineScripts(parts.redis);
    this.prefix = `{${parts.prefix}}:replays`;
    this.scripts = parts.redis as unknown as Scripts;
  }

  get isReady(): boolean {
    return this.parts.redis.status === 'ready';
  }

  /** @throws TooManyReplaysError */
  async begin(spec: ReplaySpec): Promise<string> {
    const id = `rpl_${randomBytes(9).toString('base64url')}`;
    const args = [this.prefix, id, Date.now(), KEPT_MS, JSON.stringify(spec)];
    if ((await fromStore(this.scripts.relayReplayBegin(args))) !== 1) throw new TooManyReplaysError();
    return id;
  }

  /** One that nobody works on; this one, where it is named. */
  async claim(holder: string, only = ''): Promise<Replay | undefined> {
    const id = String(await fromStore(this.scripts.relayReplayClaim([this.prefix, holder, CLAIM_MS, only])));
    return id === '' ? undefined : this.find(id);
  }

  /** What it is now; `lost` where another process works on it. */
  async step(id: string, holder: string, progress: Progress): Promise<ReplayState | 'lost'> {
    const fields = Object.entries(progress).flat() as (string | number)[];
    return (await this.scripts.relayReplayStep([this.prefix, id, holder, CLAIM_MS, ...fields])) as
      | ReplayState
      | 'lost';
  }

  /** False where it is over already. */
  async end(id: string, state: Exclude<ReplayState, 'running'>, problem = ''): Promise<boolean> {
    return (
      (await fromStore(this.scripts.relayReplayEnd([this.prefix, id, state, Date.now(), problem]))) === 1
    );
  }

  async release(id: string, holder: string): Promise<void> {
    await this.scripts.relayReplayRelease([this.prefix, id, holder]);
  }

  async find(id: string): Promise<Replay | undefined> {
    return replayOf(id, await fromStore(this.parts.redis.hgetall(`${this.prefix}:${id}`)));
  }

  /** The newest first. */
  async list(count: number): Promise<Replay[]> {
    const ids = await fromStore(this.parts.redis.zrevrange(`${this.prefix}:all`, 0, count - 1));
    return (await Promise.all(ids.map((id) => this.find(id)))).flatMap((each) => each ?? []);
  }
}

/** Undefined for what is no replay of ours. */
function replayOf(id: string, fields: Readonly<Record<string, string>>): Replay | undefined {
  const { spec, state = 'failed', ended } = fields;
  if (spec === undefined) return undefined;
  const number = (name: string): number => Number(fields[name] ?? 0);
  return {
    id,
    spec: JSON.parse(spec) as ReplaySpec,
    state: state as ReplayState,
    progress: {
      seen: number('seen'),
      replayed: number('replayed'),
      withoutBody: number('withoutBody'),
      needless: number('needless'),
      cursor: fields['cursor'] ?? '',
    },
    begun: number('begun'),
    ended: ended === undefined ? undefined : Number(ended),
    problem: fields['problem'] ?? '',
  };
}

/** A replay as the gateway and the command line show it. */
export function shownReplay({
  id,
  spec,
  state,
  progress,
  begun,
  ended,
  problem,
}: Replay): Readonly<Record<string, unknown>> {
  const { cursor: _cursor, ...numbers } = progress;
  return {
    id,
    state,
    what: spec.what,
    filter: spec.filter,
    perSecond: spec.perSecond,
    ...numbers,
    begun: new Date(begun).toISOString(),
    ...(ended === undefined ? {} : { ended: new Date(ended).toISOString() }),
    ...(problem === '' ? {} : { problem }),
  };
}
