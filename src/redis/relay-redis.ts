import { Redis } from 'ioredis';
import { StoreUnavailableError } from '../errors';
import { guarded } from './bullmq-guards';
import { withOurErrors } from './call-errors';
import { Doubt } from './doubt';
import { allowedWhileFull, freesMemory } from './full';
import { replyCode, whyNot } from './reply-error';

/** How Redis answers where there is no such database, or none that this user may choose. */
const NO_DATABASE: ReadonlySet<string | undefined> = new Set(['ERR', 'NOPERM']);

export interface ScriptDefinition {
  readonly lua: string;
  readonly numberOfKeys?: number;
  readonly readOnly?: boolean;
  /** It only removes or counts: a full Redis must let it pass, or it never empties. */
  readonly frees?: boolean;
}

/** A connection that remembers the scripts that were defined on it, BullMQ's too, so that they can be built upon. */
export class RelayRedis extends Redis {
  doubt = new Doubt();
  private readonly definitions = new Map<string, ScriptDefinition>();
  /** Gathers what is sent in this turn of the event loop. */
  private gathering: RelayRedis['stream'] | undefined;

  withDoubt(doubt: Doubt): this {
    this.doubt = doubt;
    return this;
  }

  /** ioredis goes on in database 0 where Redis has none of that number: what lies there may be another relay's. */
  override async select(index: number | string): Promise<'OK'> {
    try {
      return await super.select(index);
    } catch (error) {
      if (!NO_DATABASE.has(replyCode(error))) throw error;
      this.disconnect(true);
      throw new StoreUnavailableError(
        `REDIS_URI names database ${index}, and Redis does not choose it (${whyNot(error)})`,
        { cause: error },
      );
    }
  }

  /** BullMQ knows a lost connection by the errors of the library itself: on the connections that wait for Redis they stay. */
  override sendCommand(...call: Parameters<Redis['sendCommand']>): unknown {
    this.gather();
    if (this.options.enableOfflineQueue !== false) return super.sendCommand(...call);
    const { sent } = withOurErrors(call[0], this);
    const result = super.sendCommand(...call);
    sent();
    return result;
  }

  /** What is sent in one turn leaves by one write: each write is a call of the system, here and at Redis. */
  private gather(): void {
    const { stream } = this;
    if (stream === undefined || stream === this.gathering) return;
    this.gathering = stream;
    stream.cork();
    process.nextTick(() => {
      if (this.gathering === stream) this.gathering = undefined;
      stream.uncork();
    });
  }

  override defineCommand(name: string, definition: ScriptDefinition): void {
    const { frees = freesMemory(name), ...others } = definition;
    const lua = guarded(name, definition.lua);
    this.definitions.set(name, { ...definition, lua, frees });
    super.defineCommand(name, { ...others, lua: frees ? allowedWhileFull(lua) : lua });
  }

  /** @throws RangeError where no such script was defined */
  definitionOf(name: string): ScriptDefinition {
    const definition = this.definitions.get(name);
    if (definition === undefined)
      throw new RangeError(`the script ${name} is not defined on this connection`);
    return definition;
  }

  has(name: string): boolean {
    return this.definitions.has(name);
  }
}
