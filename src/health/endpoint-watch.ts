import { LRUCache } from 'lru-cache';
import { instanceOf } from '../destinations/destination-ids';
import { type DestinationId, type Endpoint, isElsewhere } from '../pipeline/delivery';
import type { HealthBoard } from './health-board';
import type { Rejections } from './rejections';

export interface EndpointWatchParts {
  readonly board: Pick<HealthBoard, 'records' | 'recordOf' | 'idsOf' | 'resume' | 'moved' | 'sendsTo'>;
  readonly rejections: Pick<Rejections, 'recordOf' | 'idsOf' | 'compare'>;
  /** Undefined where there is no such destination any more. Rejects where that cannot be known. */
  readonly endpointOf: (id: DestinationId) => Promise<Endpoint | undefined>;
  readonly onError: (error: unknown) => void;
}

/** A failure at the address before is told within this time of the change. */
const LATELY = { ms: 5000, most: 10_000 };

/**
 * A suspended destination goes on once it has another address: the one that was given up is not asked any more. One that fails is
 * tried there at once: somebody waits to see whether the address is right. What is known of an address that rejects everything says
 * nothing of another one. A destination that is removed is forgotten.
 */
export class EndpointWatch {
  private readonly due = new Set<DestinationId>();
  private readonly changed = new LRUCache<string, true>({ ttl: LATELY.ms, max: LATELY.most });
  private comparing = false;

  constructor(private readonly parts: EndpointWatchParts) {}

  /** The settings of this instance changed; undefined: any may have. */
  settingsChanged(instance: string | undefined): void {
    if (instance !== undefined) this.changed.set(instance, true);
    this.look(this.unwell(instance));
  }

  /**
   * One is not well, which was not known before: its settings may have changed just before that was said. Without such a change
   * another address is that of a worker with another configuration, as in a rollout: each would call the other's wrong for ever.
   */
  becameUnwell(id: DestinationId): void {
    const instance = instanceOf(id);
    if (instance !== undefined && this.changed.has(instance)) this.look([id]);
  }

  /**
   * No other worker has another address for it any more: what is known of it may be what those that are gone found out of theirs,
   * as where a wrong address is corrected by a rollout.
   */
  othersAgree(id: DestinationId): void {
    this.look([id]);
  }

  private look(ids: readonly DestinationId[]): void {
    for (const id of ids) {
      // What a person wants is ended by a person.
      if (this.parts.board.recordOf(id)?.by !== 'person') this.due.add(id);
    }
    if (this.due.size > 0 && !this.comparing) void this.compareAll();
  }

  /** A tenant may change its settings many times a second, while thousands of others are not well. */
  private unwell(instance: string | undefined): readonly DestinationId[] {
    const { board, rejections } = this.parts;
    if (instance === undefined) return board.records.map(({ id }) => id);
    return [...board.idsOf(instance), ...rejections.idsOf(instance)];
  }

  /** One after the other: there may be thousands, and nothing waits for it. */
  private async compareAll(): Promise<void> {
    this.comparing = true;
    for (const id of this.due) {
      this.due.delete(id);
      await this.compare(id).catch(this.parts.onError);
    }
    this.comparing = false;
  }

  private async compare(id: DestinationId): Promise<void> {
    const { board, rejections, endpointOf } = this.parts;
    const record = board.recordOf(id);
    if (record === undefined && rejections.recordOf(id) === undefined) return;
    const endpoint = await endpointOf(id);
    await rejections.compare(id, endpoint);
    if (record === undefined) return;
    const { state, print } = record;
    if (endpoint === undefined) return board.resume(id, 'removed');
    board.sendsTo(id, endpoint);
    if (!isElsewhere(endpoint, print)) return;
    await (state === 'suspended' ? board.resume(id, 'changed') : board.moved(id, endpoint));
  }
}
