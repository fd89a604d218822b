import type { Job } from './stored-job';

export interface StoredPresenceParts {
  readonly jobs: ReadonlyMap<string, Job>;
  readonly now: () => number;
  readonly makeDue: (job: Job) => void;
}

/** Which workers are there, and what those that are gone had under way: the twin of presence-scripts.ts in src/redis/. */
export class StoredPresence {
  private readonly saidAt = new Map<string, number>();
  private readonly gone = new Set<string>();
  /** Whose processes are dead: their connections are closed. */
  private readonly dead = new Set<string>();

  constructor(private readonly parts: StoredPresenceParts) {}

  clear(): void {
    this.saidAt.clear();
    this.gone.clear();
  }

  dies(worker: string): void {
    this.dead.add(worker);
  }

  isGone(worker: string): boolean {
    return this.gone.has(worker);
  }

  say(worker: string, goneMs: number): [freed: number, isMore: number] {
    const now = this.parts.now();
    const newest = Math.max(...this.saidAt.values());
    if (newest < now - goneMs / 3)
      for (const [each, at] of this.saidAt) this.saidAt.set(each, at + now - newest);
    this.saidAt.set(worker, now);
    this.gone.delete(worker);
    let freed = 0;
    for (const [other, at] of this.saidAt) {
      if (at > now - goneMs || !this.dead.has(other)) continue;
      freed += this.free(other);
      this.saidAt.delete(other);
      this.gone.add(other);
    }
    return [freed, 0];
  }

  private free(worker: string): number {
    let freed = 0;
    for (const job of this.parts.jobs.values()) {
      if (job.slowBy !== worker || job.place.kind !== 'delayed' || job.place.inLine) continue;
      job.slowBy = '';
      this.parts.makeDue(job);
      freed++;
    }
    return freed;
  }
}
