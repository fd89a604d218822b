import type { WebSocketConfig } from '../../destinations/websocket/websocket-config';
import { badRequest, HttpError } from '../../http-api/http-errors';
import { instanceName } from '../../http-api/instance-name';
import type { Access, Keys } from '../../http-api/keys';
import { type BrowserHeaders, needsNoKey, type OriginRules } from '../../http-api/origins';
import { within } from '../../time/within';
import type { Feed } from './feed';
import type { Notice } from './follower';
import type { Channel } from './stream-channel';
import { isStreamId, type StreamId } from './stream-id';

/** What a client says when it connects. */
export interface Candidate {
  readonly address: string;
  readonly key: string | undefined;
  /** What its browser says, if it has one. */
  readonly headers: BrowserHeaders;
  /** Undefined: it wants the events of all instances. */
  readonly instance: string | undefined;
  /** What it saw last, where it comes back; `now` where it means to come back, and asks for an id to begin with. */
  readonly lastEventId: string | undefined;
}

/** A place kept for a client; it ends with `release`, whether the client came in or not. */
export interface Seat {
  readonly instance: string | undefined;
  readonly access: Access;
  readonly key: string | undefined;
  readonly channel: Channel;
  readonly position: StreamId;
  /** What it receives first. */
  readonly notice: Notice | undefined;
}

export interface AdmissionParts {
  readonly config: WebSocketConfig;
  /** For clients whose address needs no key. */
  readonly originRules: OriginRules;
  readonly keys: Keys;
  readonly feed: Feed;
}

const UNEXPECTED_PAGE =
  'WEBSOCKET_ALLOWED_HOSTS has this address, but not pages of other origins: CORS_ORIGIN lists them, GATEWAY_URL names this host';
const NOW = 'now';
const OPEN_TIMEOUT_MS = 10_000;

/** Decides which clients may listen to what, and how many of them. */
export class Admission {
  private count = 0;
  private readonly counts = new Map<string, number>();

  constructor(private readonly parts: AdmissionParts) {}

  /** @throws HttpError */
  async admit(candidate: Candidate): Promise<Seat> {
    const { key, lastEventId } = candidate;
    const instance = candidate.instance === undefined ? undefined : instanceName(candidate.instance);
    if (lastEventId !== undefined && lastEventId !== NOW && !isStreamId(lastEventId)) {
      throw badRequest(['last-event-id: must be the id of an event, such as 1763720000000-0, or now']);
    }
    const access = await this.accessOf(candidate);
    if (instance === undefined && this.parts.config.global === undefined) {
      throw new HttpError(403, [
        'WEBSOCKET_GLOBAL_EVENTS is not true: name an instance, as in ?instance=my-instance or /my-instance',
      ]);
    }
    this.take(instance);
    try {
      return { instance, access, key, ...(await this.place(instance, lastEventId)) };
    } catch (error) {
      this.release(instance);
      throw error;
    }
  }

  /** The client of a seat has gone. */
  release(instance: string | undefined): void {
    this.count--;
    if (instance === undefined) return;
    const left = (this.counts.get(instance) ?? 0) - 1;
    if (left > 0) this.counts.set(instance, left);
    else this.counts.delete(instance);
  }

  private async accessOf({ address, key, instance, headers }: Candidate): Promise<Access> {
    const { config, originRules, keys } = this.parts;
    const { allowedHosts } = config;
    if (needsNoKey(address, headers, { ...originRules, allowedHosts })) return 'all';
    if (key === undefined && allowedHosts.includes(address)) throw new HttpError(401, [UNEXPECTED_PAGE]);
    return keys.check(address, key, instance);
  }

  private take(instance: string | undefined): void {
    const { maxClients, maxClientsPerInstance } = this.parts.config;
    const own = instance === undefined ? 0 : (this.counts.get(instance) ?? 0);
    if (this.count >= maxClients) throw new HttpError(503, ['WEBSOCKET_MAX_CLIENTS: too many clients'], 5);
    if (own >= maxClientsPerInstance) {
      throw new HttpError(429, ['WEBSOCKET_MAX_CLIENTS_PER_INSTANCE: too many clients of this instance'], 5);
    }
    this.count++;
    if (instance !== undefined) this.counts.set(instance, own + 1);
  }

  private async place(
    instance: string | undefined,
    lastEventId: string | undefined,
  ): Promise<Pick<Seat, 'channel' | 'position' | 'notice'>> {
    const channel = this.parts.feed.channel(instance);
    try {
      // While Redis is away the refusal says so, and clients come back.
      const now = await within(channel.open(), OPEN_TIMEOUT_MS, redisIsAway);
      if (lastEventId === undefined) return { channel, position: now, notice: undefined };
      if (lastEventId === NOW) {
        return { channel, position: now, notice: { event: 'relay.ready', id: now, data: {} } };
      }
      return { channel, position: lastEventId, notice: undefined };
    } catch (error) {
      channel.leave();
      throw error;
    }
  }
}

const redisIsAway = (): HttpError => new HttpError(503, ['Redis cannot be reached: try again'], 5);
