import type { Rooms } from './rooms';
import {
  checkChannelName,
  checkData,
  checkEventName,
  isEncrypted,
  isPresence,
  MAX_BATCH,
  MAX_CHANNELS,
  parseObject,
  Refusal,
} from './rules';
import { type SignedRequest, verify } from './signature';

/** An event that was taken. */
export interface PublishedEvent {
  readonly app: string;
  readonly channel: string;
  readonly name: string;
  readonly data: string;
}

const SOCKET_ID = /^\d+\.\d+$/;

/** Pusher's HTTP API for one app, `path` being what follows `/apps/<id>`. */
export class PusherApi {
  constructor(
    private readonly rooms: Rooms,
    /** Called for every event, after all of its request were found good. */
    private readonly published: (event: PublishedEvent) => void,
  ) {}

  /** The body of a good answer; throws a Refusal otherwise. */
  answer(request: SignedRequest, path: string, now: number): unknown {
    const { app } = this.rooms;
    verify(app, request, now);
    if (app.disabled === true) throw new Refusal(403, 'App is disabled');
    const route = `${request.method} ${path}`;
    if (route === 'POST /events') return this.#events(this.#json(request));
    if (route === 'POST /batch_events') return this.#batch(this.#json(request));
    if (route === 'GET /channels') return this.#channels(request.query);
    const [, channel, users] = /^GET \/channels\/([^/]+)(\/users)?$/.exec(route) ?? [];
    if (channel === undefined) throw new Refusal(404, 'Not found');
    return users === undefined
      ? this.#channel(decodeURIComponent(channel))
      : this.#users(decodeURIComponent(channel));
  }

  #json({ body }: SignedRequest): Record<string, unknown> {
    const value = parseObject(body.toString('utf8'));
    if (value === undefined) throw new Refusal(400, 'Invalid JSON provided (could not parse)');
    return value;
  }

  #events(body: Record<string, unknown>): unknown {
    const channels = Array.isArray(body['channels']) ? body['channels'] : [body['channel']];
    if (channels.length > MAX_CHANNELS) throw new Refusal(400, `Too many channels (> ${MAX_CHANNELS})`);
    if (channels.length > 1 && channels.some((channel) => isEncrypted(String(channel)))) {
      throw new Refusal(400, 'An event for an encrypted channel can go to that channel only');
    }
    this.#take(channels.map((channel) => this.#event({ ...body, channel })));
    return {};
  }

  #batch({ batch }: Record<string, unknown>): unknown {
    if (!Array.isArray(batch) || batch.length === 0)
      throw new Refusal(400, 'Missing required parameter: batch');
    if (batch.length > MAX_BATCH) throw new Refusal(400, `Batch too large (> ${MAX_BATCH})`);
    this.#take(batch.map((event) => this.#event(event as Record<string, unknown>)));
    return {};
  }

  #event(body: Record<string, unknown>): PublishedEvent & { readonly except?: string } {
    const channel = checkChannelName(body['channel']);
    const name = checkEventName(body['name']);
    const data = checkData(body['data'], channel);
    const except = body['socket_id'];
    if (except !== undefined && !SOCKET_ID.test(String(except))) throw new Refusal(400, 'Invalid socket_id');
    const event = { app: this.rooms.app.id, channel, name, data };
    return except === undefined ? event : { ...event, except: String(except) };
  }

  /** All or none: one bad event spoils the request. */
  #take(events: readonly (PublishedEvent & { readonly except?: string })[]): void {
    if (this.rooms.app.overQuota === true) throw new Refusal(403, 'App is over its message quota');
    for (const { except, ...event } of events) {
      const skipped = this.rooms.members(event.channel).find(({ socketId }) => socketId === except);
      this.rooms.broadcast(event.channel, event.name, event.data, skipped);
      this.published(event);
    }
  }

  #channels(query: URLSearchParams): unknown {
    const prefix = query.get('filter_by_prefix') ?? '';
    const withUsers = (query.get('info') ?? '').split(',').includes('user_count');
    if (withUsers && prefix !== 'presence-')
      throw new Refusal(400, 'user_count needs filter_by_prefix=presence-');
    const names = this.rooms.occupied.filter((channel) => channel.startsWith(prefix));
    return {
      channels: Object.fromEntries(
        names.map((name) => [name, withUsers ? { user_count: this.rooms.users(name).size } : {}]),
      ),
    };
  }

  #channel(name: string): unknown {
    const occupied = this.rooms.members(checkChannelName(name)).length > 0;
    return { occupied, ...(isPresence(name) ? { user_count: this.rooms.users(name).size } : {}) };
  }

  #users(name: string): unknown {
    if (!isPresence(name))
      throw new Refusal(400, 'Cannot retrieve users of a channel that is no presence channel');
    return { users: [...this.rooms.users(name).keys()].map((id) => ({ id })) };
  }
}
