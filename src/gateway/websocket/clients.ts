import type { Keys } from '../../http-api/keys';
import type { Admission, Seat } from './admission';
import type { ChannelClient } from './follower';

/** Why a client is disconnected from our side. */
export type CutReason = 'slow' | 'dead' | 'revoked' | 'shutdown';

export interface Client extends ChannelClient {
  readonly protocol: 'ws' | 'socket.io';
  /** Called on an interval: it sees to it that the peer still answers. */
  checkAlive(): void;
  cutOff(reason: CutReason): void;
}

export interface ClientsObserver {
  /** How many there are of one protocol. */
  connected(protocol: Client['protocol'], count: number): void;
  cutOff(reason: CutReason): void;
}

export interface ClientsParts {
  readonly admission: Admission;
  readonly keys: Keys;
  readonly pingMs: number;
  readonly observer: ClientsObserver;
  readonly onError: (error: unknown) => void;
}

/** All clients of this gateway, of both protocols. */
export class Clients {
  private readonly seats = new Map<Client, Seat>();
  private readonly counts = { ws: 0, 'socket.io': 0 };
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: ClientsParts) {}

  start(): void {
    this.timer ??= setInterval(() => {
      for (const client of this.seats.keys()) client.checkAlive();
    }, this.parts.pingMs);
  }

  /** Takes a client in; returns what is to be called once, when it has gone. */
  add(client: Client, seat: Seat): () => void {
    const { channel, position, notice, instance } = seat;
    this.seats.set(client, seat);
    this.count(client, 1);
    if (notice !== undefined) client.notify(notice);
    const leave = channel.join(client, position);
    // Its token may have been revoked while it came in, when nobody could find it here.
    void this.recheckOne(client, seat);
    return () => {
      leave();
      this.seats.delete(client);
      this.count(client, -1);
      this.parts.admission.release(instance);
    };
  }

  /** A seat whose client went away before it was taken in. */
  turnAway({ channel, instance }: Seat): void {
    channel.leave();
    this.parts.admission.release(instance);
  }

  cutOff(client: Client, reason: CutReason): void {
    this.parts.observer.cutOff(reason);
    client.cutOff(reason);
  }

  /** The settings of an instance changed, or any may have: tokens that no longer open its door end their clients. */
  async recheck(instance: string | undefined): Promise<void> {
    for (const [client, seat] of this.seats) {
      if (instance === undefined || seat.instance === instance) await this.recheckOne(client, seat);
    }
  }

  close(): void {
    clearInterval(this.timer);
    for (const client of [...this.seats.keys()]) client.cutOff('shutdown');
  }

  private async recheckOne(client: Client, { access, key, instance }: Seat): Promise<void> {
    if (access !== 'instance') return;
    try {
      const isOpen = await this.parts.keys.opens(key, instance);
      if (!isOpen && this.seats.has(client)) this.cutOff(client, 'revoked');
    } catch (error) {
      this.parts.onError(error);
    }
  }

  private count({ protocol }: Client, change: 1 | -1): void {
    this.counts[protocol] += change;
    this.parts.observer.connected(protocol, this.counts[protocol]);
  }
}
