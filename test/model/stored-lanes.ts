interface StoredLane {
  /** Since when its first delivery holds up the others. */
  since: number;
  readonly ids: string[];
}

/** What lies in Redis of lanes: the twin of lane-prelude.ts in src/redis/. Deliveries without a lane have the name ''. */
export class StoredLanes {
  private readonly lanes = new Map<string, StoredLane>();
  /** The next delivery of a lane is told that this one was given up on. */
  private readonly gaps = new Map<string, string>();

  get size(): number {
    return this.lanes.size;
  }

  clear(): void {
    this.lanes.clear();
    this.gaps.clear();
  }

  countOf(lane: string): number {
    return this.lanes.get(lane)?.ids.length ?? 0;
  }

  gapOf(lane: string): string {
    return this.gaps.get(lane) ?? '';
  }

  tell(lane: string, id: string): void {
    if (lane !== '') this.gaps.set(lane, id);
  }

  /** Where an id is given, only of that one. */
  told(lane: string, id = this.gapOf(lane)): number {
    if (this.gapOf(lane) === id) this.gaps.delete(lane);
    return 1;
  }

  /** Whether it is the first one, or in no lane. */
  enter(name: string, id: string, now: number): boolean {
    if (name === '') return true;
    const lane = this.lanes.get(name) ?? { since: now, ids: [] };
    this.lanes.set(name, lane);
    if (!lane.ids.includes(id)) lane.ids.push(id);
    return lane.ids[0] === id;
  }

  /** Undefined where it was in none. */
  leave(
    name: string,
    id: string,
    now: number,
  ): { readonly wasFirst: boolean; readonly next: string | undefined } | undefined {
    const lane = this.lanes.get(name);
    const rank = lane?.ids.indexOf(id) ?? -1;
    if (lane === undefined || rank < 0) return undefined;
    lane.ids.splice(rank, 1);
    if (rank === 0) lane.since = now;
    if (lane.ids.length === 0) this.lanes.delete(name);
    return { wasFirst: rank === 0, next: lane.ids[rank] };
  }

  beginAnew(name: string, now: number): void {
    const lane = this.lanes.get(name);
    if (lane !== undefined) lane.since = now;
  }

  /** Those that were held up by their first ones since then, or earlier. */
  oldest(until: number): { readonly first: string; readonly since: number }[] {
    return [...this.lanes.values()].flatMap(({ since, ids: [first] }) =>
      first === undefined || since > until ? [] : [{ first, since }],
    );
  }
}
