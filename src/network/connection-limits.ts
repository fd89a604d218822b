export interface ConnectionLimitsOptions {
  /** Connections in all. */
  readonly inAll: number;
  /** Of those, connections that showed no key. */
  readonly strangers: number;
  /** And of those, connections of one address group. */
  readonly perAddress: number;
}

/** Which limit refuses. */
export type Refusal = 'all' | 'strangers' | 'address';

/** Whether a connection may stay, and which other one is closed for it. */
export type Verdict<C> =
  | { readonly kind: 'admitted'; readonly victim?: C }
  | { readonly kind: 'refused'; readonly limit: Refusal };

interface Place {
  /** Undefined: a trusted proxy, whose clients are distinguished by their requests. */
  readonly group: string | undefined;
  /** It showed a key. */
  isKnown: boolean;
  /** Under way: begun and not answered to the end. */
  requests: number;
  /** Groups of the requests under way that came through a proxy and showed no key. */
  forwarded: string[];
}

interface Group<C> {
  strangers: number;
  /** Its connections among them, the oldest first; of clients behind a trusted proxy there are none. */
  readonly members: Set<C>;
  /** The longest at rest first. */
  readonly resting: Set<C>;
}

/**
 * Counts connections: clients that showed no key share a part of them, of which each address has a share again. Where a limit is
 * reached, a connection at rest (nothing was asked on it, or everything was answered) is closed for the new one, so that
 * silent connections keep nobody out; where there is none, the oldest of the address that has most strangers, so that a few
 * addresses keep no other one out; else the new one is refused.
 */
export class ConnectionLimits<C extends object> {
  private readonly places = new Map<C, Place>();
  private readonly groups = new Map<string, Group<C>>();
  private readonly restingStrangers = new Set<C>();
  private readonly restingKnown = new Set<C>();
  private strangers = 0;

  constructor(private readonly options: ConnectionLimitsOptions) {}

  get count(): number {
    return this.places.size;
  }

  /** @param group undefined for a trusted proxy */
  open(connection: C, group: string | undefined): Verdict<C> {
    const limit = this.reachedBy(group);
    const victim = limit === undefined ? undefined : this.victimOf(limit, group);
    if (limit !== undefined && victim === undefined) return { kind: 'refused', limit };
    if (victim !== undefined) this.close(victim);
    const place: Place = { group, isKnown: false, requests: 0, forwarded: [] };
    this.places.set(connection, place);
    this.strangers++;
    if (group !== undefined) this.joinGroup(connection, group);
    this.rest(connection, place);
    return { kind: 'admitted', ...(victim === undefined ? {} : { victim }) };
  }

  /**
   * A request begins. False where the address that a proxy names has too many under way: it is not counted then.
   *
   * @param client group of that address; undefined where the connection itself is the client's
   */
  begin(connection: C, client?: string): boolean {
    const place = this.places.get(connection);
    if (place === undefined) return false;
    if (place.group === undefined && client !== undefined) {
      const group = this.groupOf(client);
      if (group.strangers >= this.options.perAddress) return false;
      group.strangers++;
      place.forwarded.push(client);
    }
    place.requests++;
    this.unrest(connection, place);
    return true;
  }

  /** A request was answered to its end. */
  end(connection: C, client?: string): void {
    const place = this.places.get(connection);
    if (place === undefined) return;
    place.requests--;
    if (client !== undefined) this.leaveForwarded(place, client);
    if (place.requests > 0) return;
    // The next request over a proxy's connection is somebody else's.
    if (place.group === undefined && place.isKnown) this.becomeStranger(place);
    this.rest(connection, place);
  }

  /** A request on this connection showed a key. */
  recognise(connection: C): void {
    const place = this.places.get(connection);
    if (place === undefined) return;
    for (const client of [...place.forwarded]) this.leaveForwarded(place, client);
    if (place.isKnown) return;
    place.isKnown = true;
    this.forgetStranger(connection, place);
    if (place.requests === 0) {
      this.unrest(connection, place);
      this.rest(connection, place);
    }
  }

  /** Those that showed no key: one of each address after the other, of each the newest first. */
  strangersByTurns(): C[] {
    const byGroup = new Map<string | undefined, C[]>();
    for (const [connection, { group, isKnown }] of this.places) {
      if (isKnown) continue;
      const own = byGroup.get(group);
      if (own === undefined) byGroup.set(group, [connection]);
      else own.push(connection);
    }
    const turns: C[] = [];
    while (byGroup.size > 0) {
      for (const [group, own] of byGroup) {
        const newest = own.pop();
        if (newest === undefined) byGroup.delete(group);
        else turns.push(newest);
      }
    }
    return turns;
  }

  isKnown(connection: C): boolean {
    return this.places.get(connection)?.isKnown === true;
  }

  close(connection: C): void {
    const place = this.places.get(connection);
    if (place === undefined) return;
    this.places.delete(connection);
    this.unrest(connection, place);
    for (const client of [...place.forwarded]) this.leaveForwarded(place, client);
    if (!place.isKnown) this.forgetStranger(connection, place);
  }

  private reachedBy(group: string | undefined): Refusal | undefined {
    const { inAll, strangers, perAddress } = this.options;
    const own = group === undefined ? 0 : (this.groups.get(group)?.strangers ?? 0);
    if (own >= perAddress) return 'address';
    if (this.strangers >= strangers) return 'strangers';
    return this.places.size >= inAll ? 'all' : undefined;
  }

  private victimOf(limit: Refusal, group: string | undefined): C | undefined {
    if (limit === 'address') return firstOf(this.groups.get(group ?? '')?.resting);
    const atRest =
      firstOf(this.restingStrangers) ?? (limit === 'all' ? firstOf(this.restingKnown) : undefined);
    return atRest ?? this.oldestOfLargest(group);
  }

  /** Of an address that has more than this one would have. */
  private oldestOfLargest(group: string | undefined): C | undefined {
    let most = 1 + (this.groups.get(group ?? '')?.members.size ?? 0);
    let largest: Group<C> | undefined;
    for (const each of this.groups.values()) {
      if (each.members.size <= most) continue;
      most = each.members.size;
      largest = each;
    }
    return firstOf(largest?.members);
  }

  private rest(connection: C, place: Place): void {
    if (place.isKnown) {
      this.restingKnown.add(connection);
      return;
    }
    this.restingStrangers.add(connection);
    if (place.group !== undefined) this.groupOf(place.group).resting.add(connection);
  }

  private unrest(connection: C, { group }: Place): void {
    this.restingKnown.delete(connection);
    this.restingStrangers.delete(connection);
    if (group !== undefined) this.groups.get(group)?.resting.delete(connection);
  }

  private becomeStranger(place: Place): void {
    place.isKnown = false;
    this.strangers++;
  }

  private forgetStranger(connection: C, { group }: Place): void {
    this.strangers--;
    if (group === undefined) return;
    this.groups.get(group)?.members.delete(connection);
    this.leaveGroup(group);
  }

  private leaveForwarded(place: Place, client: string): void {
    const index = place.forwarded.indexOf(client);
    if (index < 0) return;
    place.forwarded.splice(index, 1);
    this.leaveGroup(client);
  }

  private joinGroup(connection: C, name: string): void {
    const group = this.groupOf(name);
    group.strangers++;
    group.members.add(connection);
  }

  private groupOf(name: string): Group<C> {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = { strangers: 0, members: new Set(), resting: new Set() };
      this.groups.set(name, group);
    }
    return group;
  }

  private leaveGroup(name: string): void {
    const group = this.groups.get(name);
    if (group === undefined) return;
    group.strangers--;
    if (group.strangers <= 0) this.groups.delete(name);
  }
}

function firstOf<T>(set: ReadonlySet<T> | undefined): T | undefined {
  const first = set?.values().next();
  return first?.done === false ? first.value : undefined;
}
