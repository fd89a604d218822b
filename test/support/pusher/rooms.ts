import { isPresence, type PusherApp } from './rules';

/** A connected client, as channels see it. */
export interface Member {
  readonly socketId: string;
  send(event: string, data: string, channel?: string, userId?: string): void;
}

/** Who a member of a presence channel is. */
export interface Identity {
  readonly user_id: string;
  readonly user_info?: unknown;
}

/** What happened in an app that its webhooks tell. */
export type RoomEvent =
  | { readonly name: 'channel_occupied' | 'channel_vacated'; readonly channel: string }
  | { readonly name: 'member_added' | 'member_removed'; readonly channel: string; readonly user_id: string }
  | {
      readonly name: 'client_event';
      readonly channel: string;
      readonly event: string;
      readonly data: string;
      readonly socket_id: string;
      readonly user_id?: string;
    };

/** The channels of one app with those who are subscribed. */
export class Rooms {
  readonly #rooms = new Map<string, Map<Member, Identity | undefined>>();
  /** Signed-in users, for events to a user. */
  readonly #users = new Map<string, Set<Member>>();

  constructor(
    readonly app: PusherApp,
    private readonly tell: (event: RoomEvent) => void,
  ) {}

  get occupied(): string[] {
    return [...this.#rooms.keys()];
  }

  members(channel: string): readonly Member[] {
    return [...(this.#rooms.get(channel)?.keys() ?? [])];
  }

  has(channel: string, member: Member): boolean {
    return this.#rooms.get(channel)?.has(member) ?? false;
  }

  /** Ids of the users of a presence channel, each once, with what they told of themselves. */
  users(channel: string): Map<string, unknown> {
    const identities = [...(this.#rooms.get(channel)?.values() ?? [])];
    return new Map(
      identities.flatMap((identity) =>
        identity === undefined ? [] : [[identity.user_id, identity.user_info ?? {}]],
      ),
    );
  }

  identity(channel: string, member: Member): Identity | undefined {
    return this.#rooms.get(channel)?.get(member);
  }

  join(channel: string, member: Member, identity: Identity | undefined): void {
    let room = this.#rooms.get(channel);
    if (room === undefined) {
      room = new Map();
      this.#rooms.set(channel, room);
      this.tell({ name: 'channel_occupied', channel });
    }
    const isNew = identity !== undefined && !this.users(channel).has(identity.user_id);
    room.set(member, identity);
    if (!isNew || !isPresence(channel)) return;
    this.broadcast(channel, 'pusher_internal:member_added', JSON.stringify(identity), member);
    this.tell({ name: 'member_added', channel, user_id: identity.user_id });
  }

  leave(channel: string, member: Member): void {
    const room = this.#rooms.get(channel);
    const identity = room?.get(member);
    if (room === undefined || !room.delete(member)) return;
    if (identity !== undefined && !this.users(channel).has(identity.user_id)) {
      const { user_id } = identity;
      this.broadcast(channel, 'pusher_internal:member_removed', JSON.stringify({ user_id }));
      this.tell({ name: 'member_removed', channel, user_id });
    }
    if (room.size > 0) return;
    this.#rooms.delete(channel);
    this.tell({ name: 'channel_vacated', channel });
  }

  signIn(userId: string, member: Member): void {
    const members = this.#users.get(userId) ?? new Set();
    this.#users.set(userId, members.add(member));
  }

  leaveAll(member: Member): void {
    for (const channel of this.occupied) this.leave(channel, member);
    for (const members of this.#users.values()) members.delete(member);
  }

  /** To everybody but `except`; a client that receives is what publishing is for. */
  broadcast(channel: string, event: string, data: string, except?: Member, userId?: string): void {
    const [, user] = /^#server-to-user-(.*)$/.exec(channel) ?? [];
    const members = user === undefined ? this.members(channel) : [...(this.#users.get(user) ?? [])];
    for (const member of members) if (member !== except) member.send(event, data, channel, userId);
  }

  /** A client sent an event to the others. */
  fromClient(channel: string, event: string, data: string, member: Member): void {
    const identity = this.identity(channel, member);
    const user = identity === undefined ? {} : { user_id: identity.user_id };
    this.broadcast(channel, event, data, member, identity?.user_id);
    this.tell({ name: 'client_event', channel, event, data, socket_id: member.socketId, ...user });
  }
}
